import type { ProviderDescription, SecretField } from '../../engine/protocol/providers/description.ts'

const begin = '<!-- destinations: made by `npm run readme` from engine/protocol/providers -->'
const end = '<!-- /destinations -->'

/** A document with the table of destinations as the descriptions have them now. */
export function withDestinations(document: string, providers: readonly ProviderDescription[]): string {
  const [from, to] = [document.indexOf(begin), document.indexOf(end)]
  if (from < 0 || to < from) throw new Error('The document has no place for the table of destinations.')
  return `${document.slice(0, from + begin.length)}\n${table(providers)}\n${document.slice(to)}`
}

function table(providers: readonly ProviderDescription[]): string {
  const rows = [
    ['destination', 'address', 'keys come from'],
    ['---', '---', '---'],
    ['folder or disk', '`/mnt/disk/backup` or `file:///mnt/disk/backup`', ''],
    ...providers.map((one) => [`**${cell(one.name)}**: ${cell(one.summary)}`, `\`${cell(one.example)}\``, keys(one)]),
  ]
  return rows.map((row) => `| ${row.join(' | ')} |`).join('\n')
}

function keys({ secrets, signIn }: ProviderDescription): string {
  if (signIn !== undefined) return `\`holdfast login ${signIn}\`, or “Sign in” in the window`
  return secrets.map(variables).join(', ')
}

function variables({ variables: all, fileVariables = [], required }: SecretField): string {
  const names = [...all.map((name) => `\`${name}\``), ...fileVariables.map((name) => `the file in \`${name}\``)].join(' or ')
  return required ? names : `${names} (optional)`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
