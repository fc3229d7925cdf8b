// The panels' icons, drawn as GraphiQL's own are.

import type { ReactNode, SVGProps } from 'react';

function Icon({ children, ...props }: SVGProps<SVGSVGElement> & { children: ReactNode }) {
  return (
    <svg viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.5" {...props}>
      {children}
    </svg>
  );
}

export function PlanIcon(props: SVGProps<SVGSVGElement>) {
  return (
    <Icon {...props}>
      <rect x="2" y="7.5" width="5" height="5" rx="1.2" />
      <rect x="13" y="2.5" width="5" height="5" rx="1.2" />
      <rect x="13" y="12.5" width="5" height="5" rx="1.2" />
      <path d="M7 10h3M13 5h-1.5A1.5 1.5 0 0 0 10 6.5v7a1.5 1.5 0 0 0 1.5 1.5H13" />
    </Icon>
  );
}

export function TraceIcon(props: SVGProps<SVGSVGElement>) {
  return (
    <Icon {...props} strokeLinecap="round" strokeWidth="2.2">
      <path d="M2.5 4.5h6M6.5 10h9M11.5 15.5h6" />
    </Icon>
  );
}

export function ExamplesIcon(props: SVGProps<SVGSVGElement>) {
  return (
    <Icon {...props} strokeLinejoin="round">
      <path d="M4 3.5h9l3 3v10H4z" />
      <path d="M7 9h6M7 12.5h6" strokeLinecap="round" />
    </Icon>
  );
}

export function KeyIcon(props: SVGProps<SVGSVGElement>) {
  return (
    <Icon {...props} strokeLinecap="round">
      <circle cx="6.5" cy="13.5" r="3.5" />
      <path d="M9 11l7.5-7.5M13.5 6.5l2.5 2.5" />
    </Icon>
  );
}
