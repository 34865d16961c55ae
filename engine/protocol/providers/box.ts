import type { ProviderDescription } from './description.ts'

export const box: ProviderDescription = {
  id: 'box',
  name: 'Box',
  summary: 'A folder in a Box account',
  icon: 'cloud',
  schemes: ['box'],
  form: 'path',
  example: 'box:/folder?account=…',
  maxConnections: 4,
  fields: [
    {
      name: 'folder', at: 'path', kind: 'prefix', label: 'Folder', required: true, placeholder: 'Holdfast', hint: 'A folder of its own; it is made when it is missing.',
      // https://developer.box.com/guides/api-calls/permissions-and-errors/common-errors (item_name_invalid)
      problem: 'The folder may not hold ".", ".." or a backslash, no name may end in a space, and each has at most 255 characters.',
      pattern: /^(?:[^\\/]{0,254}[^\\/\s](?:\/|$))*$/,
    },
    { name: 'account', at: 'setting', kind: 'text', label: 'Account', required: false, problem: 'The account is the e-mail address that was signed in with.' },
  ],
  secrets: [],
  signIn: 'box',
  reach: () => ({ host: 'api.box.com', port: 443 }),
}
