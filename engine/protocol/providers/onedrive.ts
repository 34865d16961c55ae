import type { ProviderDescription } from './description.ts'

export const onedrive: ProviderDescription = {
  id: 'onedrive',
  name: 'OneDrive',
  summary: 'A folder in a Microsoft OneDrive; Holdfast sees only its own app folder',
  icon: 'cloud',
  schemes: ['onedrive'],
  form: 'path',
  example: 'onedrive:/folder?account=…',
  maxConnections: 8,
  fields: [
    {
      name: 'folder', at: 'path', kind: 'prefix', label: 'Folder', required: false, hint: 'In Apps/Holdfast. Leave empty for Apps/Holdfast itself.',
      // https://support.microsoft.com/office/64883a5d-228e-48f5-b3d2-eb39e07630fa
      problem: 'The folder may not hold ".", "..", or one of " * : < > ? \\ |, and no name in it may begin or end with a space or end with a dot.',
      pattern: /^(?:[^\\/"*:<>?|\s](?:[^\\/"*:<>?|]*[^\\/"*:<>?|\s.])?(?:\/|$))*$/,
    },
    { name: 'account', at: 'setting', kind: 'text', label: 'Account', required: false, problem: 'The account is the e-mail address that was signed in with.' },
  ],
  secrets: [],
  signIn: 'microsoft',
  reach: () => ({ host: 'graph.microsoft.com', port: 443 }),
}
