/** A text as one word of a command that is shown to be copied, for a POSIX shell: whatever a name holds, the shell runs nothing of it. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9@%+=:,./_-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`
}
