// What was told of the last request of each tab, and what the page remembers of its user.

import { create } from 'zustand';
import type { Told } from './extension';

export interface Record extends Told {
  status: number;
  /** From sending to the last byte, in this browser; of an event nothing was sent. */
  roundTripMs?: number;
}

interface Records {
  /** The tab that is looked at, and so the one that asks. */
  tab: string;
  byTab: { [tab: string]: Record };
  /** Whether the token of `dev` goes along. */
  signedIn: boolean;
}

const SIGNED_OUT = 'onedoor:signed-out';

export const useRecords = create<Records>(() => ({
  tab: '',
  byTab: {},
  signedIn: localStorage.getItem(SIGNED_OUT) === null,
}));

export function lookAt(tab: string): void {
  useRecords.setState({ tab });
}

export function note(tab: string, record: Record): void {
  useRecords.setState(({ byTab }) => ({ byTab: { ...byTab, [tab]: record } }));
}

export function signIn(signedIn: boolean): void {
  if (signedIn) localStorage.removeItem(SIGNED_OUT);
  else localStorage.setItem(SIGNED_OUT, '');
  useRecords.setState({ signedIn });
}

/** What was told of the tab that is looked at. */
export function useRecord(): Record | undefined {
  return useRecords(({ tab, byTab }) => byTab[tab]);
}
