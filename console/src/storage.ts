// What GraphiQL remembers (tabs, history, sizes), for each project by itself: they may well take
// turns at one address.

import type { Storage } from '@graphiql/toolkit';

export function storageOf(project: string): Storage {
  const prefix = `onedoor:${project}:`;
  const keys = () => Object.keys(localStorage).filter((key) => key.startsWith(prefix));
  return {
    getItem: (key) => localStorage.getItem(prefix + key),
    setItem: (key, value) => localStorage.setItem(prefix + key, value),
    removeItem: (key) => localStorage.removeItem(prefix + key),
    clear: () => keys().forEach((key) => localStorage.removeItem(key)),
    get length() {
      return keys().length;
    },
  };
}
