// The name of a service, in its colour.

import type { CSSProperties } from 'react';
import { hue } from './words';

export function colour(upstream: string): CSSProperties {
  return { '--service-hue': hue(upstream) } as CSSProperties;
}

export function Service({ name }: { name: string }) {
  return (
    <span className="onedoor-service" style={colour(name)}>
      {name}
    </span>
  );
}
