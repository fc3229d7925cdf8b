// Whether the token of `dev` goes along, and whose it is.

import { useMemo } from 'react';
import { Tooltip, UnStyledButton } from '@graphiql/react';
import { KeyIcon } from './icons';
import { signIn, useRecords } from './records';
import { claims, type Session } from './session';

export function Identity({ session: { token } }: { session: Session }) {
  const signedIn = useRecords((records) => records.signedIn);
  const who = useMemo(() => (token ? claims(token) : undefined), [token]);
  if (!token) return null;
  const name = typeof who?.sub === 'string' ? who.sub : 'somebody';
  const label = signedIn
    ? `Requests carry a token of dev's, of ${name}. Click to be nobody; a tab's own authorization header goes before it.`
    : `Requests carry no token but a tab's own. Click to be ${name}.`;
  return (
    <Tooltip label={label}>
      <UnStyledButton
        type="button"
        className={signedIn ? 'onedoor-identity active' : 'onedoor-identity'}
        aria-pressed={signedIn}
        aria-label={label}
        onClick={() => signIn(!signedIn)}
      >
        <KeyIcon width="14" height="14" aria-hidden="true" />
        {signedIn ? `sub: ${name}` : 'no token'}
      </UnStyledButton>
    </Tooltip>
  );
}
