import type { ProviderDescription } from './description.ts'

export const gdrive: ProviderDescription = {
  id: 'gdrive',
  name: 'Google Drive',
  summary: 'A folder in the Drive of a Google account; Holdfast sees only files of its own',
  icon: 'cloud',
  schemes: ['gdrive'],
  aliases: ['drive', 'googledrive'],
  form: 'path',
  example: 'gdrive:/folder?account=…',
  maxConnections: 6,
  fields: [
    {
      name: 'folder', at: 'path', kind: 'prefix', label: 'Folder', required: false, placeholder: 'Holdfast', hint: 'In My Drive. Leave empty for Holdfast.',
      problem: 'The folder may not hold "." or "..".',
    },
    { name: 'account', at: 'setting', kind: 'text', label: 'Account', required: false, problem: 'The account is the e-mail address that was signed in with.' },
  ],
  secrets: [],
  signIn: 'google',
  reach: () => ({ host: 'www.googleapis.com', port: 443 }),
}
