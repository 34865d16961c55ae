import type { ProviderDescription } from './description.ts'

export const dropbox: ProviderDescription = {
  id: 'dropbox',
  name: 'Dropbox',
  summary: 'A folder in a Dropbox account; Holdfast sees only its own app folder',
  icon: 'cloud',
  schemes: ['dropbox'],
  form: 'path',
  example: 'dropbox:/folder?account=…',
  maxConnections: 8,
  fields: [
    {
      name: 'folder', at: 'path', kind: 'prefix', label: 'Folder', required: false, hint: 'In Apps/Holdfast. Leave empty for Apps/Holdfast itself.',
      problem: 'The folder may not hold ".", ".." or a backslash.', pattern: /^[^\\]*$/,
    },
    { name: 'account', at: 'setting', kind: 'text', label: 'Account', required: false, problem: 'The account is the e-mail address that was signed in with.' },
  ],
  secrets: [],
  signIn: 'dropbox',
  reach: () => ({ host: 'content.dropboxapi.com', port: 443 }),
}
