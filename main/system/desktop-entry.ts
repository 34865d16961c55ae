import { MainError } from '../api/errors.ts'

/** A word that needs no quotes. */
const plainWord = /^[A-Za-z0-9_./=:@,+-]+$/
/** Line breaks and their like end a line of the file, whatever the quotes; half a surrogate pair is no text. */
// eslint-disable-next-line no-control-regex
const unwritable = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]|\p{Surrogate}/u

/**
 * The text of a desktop entry that starts a program: https://specifications.freedesktop.org/desktop-entry-spec/latest/ (values,
 * "The Exec key"). Errors: `unsupported` where the command cannot be written so that it is read back as it is.
 */
export function desktopEntry(entry: { readonly name: string; readonly comment: string; readonly icon: string; readonly command: readonly string[] }): string {
  const lines = [
    '[Desktop Entry]',
    'Type=Application',
    `Name=${stringValue(entry.name)}`,
    `Comment=${stringValue(entry.comment)}`,
    `Exec=${execValue(entry.command)}`,
    `Icon=${stringValue(entry.icon)}`,
    'Terminal=false',
    'X-GNOME-Autostart-enabled=true',
  ]
  return `${lines.join('\n')}\n`
}

/** The program and its words. The specification knows no way to write a program whose path has an equals sign. */
function execValue(command: readonly string[]): string {
  const [program = ''] = command
  if (program === '' || program.includes('=')) throw refusal()
  return command.map(quoteExec).join(' ')
}

/**
 * A word as the Exec key wants it: in double quotes, with what is special in them escaped, and once more for the string value;
 * `%` begins a field code. Errors: `unsupported` for control characters.
 */
export function quoteExec(word: string): string {
  if (unwritable.test(word)) throw refusal()
  if (plainWord.test(word)) return word
  const quoted = word.replaceAll(/["`$\\]/g, (special) => `\\${special}`)
  return `"${quoted.replaceAll('\\', '\\\\').replaceAll('%', '%%')}"`
}

function stringValue(text: string): string {
  if (unwritable.test(text)) throw refusal()
  return text.replaceAll('\\', '\\\\').replace(/^ /, '\\s')
}

function refusal(): MainError {
  return new MainError('unsupported', 'The path of this program has characters that a file for start on login cannot hold.', { reason: 'login-path' })
}
