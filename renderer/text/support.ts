import { formatBytes } from './format.ts'

/** Saving a report for support. */
export const supportWords = {
  open: 'Save a report for support…',
  title: 'A report for support',
  text: 'It helps whoever looks into a problem: the log, how this computer and the jobs are set up, and how their last runs ended. It is sent nowhere; you save it, and decide who gets it.',
  without: 'Passwords, keys, tokens, recovery words, addresses and names of computers and accounts are never in it.',
  names: 'Include names of folders',
  namesHint: 'And of files and jobs. Else each is replaced by a mark such as ‹folder 1›.',
  preparing: 'Putting the report together…',
  files: 'What will be in it',
  file: (name: string, bytes: number) => `${name} (${formatBytes(bytes)})`,
  preview: (name: string) => `Contents of ${name}, exactly as they will be saved`,
  more: 'Show more of it',
  check: 'Look through it before you pass it on: no program knows every secret.',
  save: 'Save…',
  saved: 'The report was saved. Only your account can open it.',
} as const
