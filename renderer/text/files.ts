/** Snapshots in the file manager. */
export const filesWords = {
  open: 'Open in the file manager',
  offer: 'All snapshots as folders by date, to look into and copy from with the programs you know.',
  title: 'These snapshots are open in the file manager',
  waiting: 'These snapshots are open, and a file manager has to be told',
  who: 'Programs of yours can read all snapshots of this backup until you stop it, Holdfast quits, or an hour passes without one reading. Nothing can be changed there.',
  how: (address: string, user: string) => `Type ${address} into the address line of your file manager, and ${user} as user name; the password is yours to copy.`,
  again: 'Show again',
  copyPassword: 'Copy password',
  copied: 'The password is on the clipboard',
  stop: 'Stop sharing',
} as const
