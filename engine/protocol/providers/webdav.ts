import type { ProviderDescription } from './description.ts'

export const webdav: ProviderDescription = {
  id: 'webdav',
  name: 'WebDAV server',
  summary: 'Nextcloud, ownCloud, a NAS, or any web server that speaks WebDAV',
  icon: 'globe',
  schemes: ['webdav'],
  aliases: ['dav', 'davs', 'webdavs', 'http', 'https'],
  form: 'whole',
  example: 'webdav:https://cloud.example.org/remote.php/dav/files/anna/backup?user=anna',
  maxConnections: 8,
  fields: [
    {
      name: 'url', at: 'whole', kind: 'url', label: 'Address of the folder', required: true, placeholder: 'https://cloud.example.org/remote.php/dav/files/anna/backup',
      hint: 'For Nextcloud: https://host/remote.php/dav/files/USER/folder. The folder is made if it is missing.',
      problem: 'The address begins with https:// (or http://) and holds host and folder, but no user, password or "?".',
    },
    { name: 'user', at: 'setting', kind: 'text', label: 'User', required: false, problem: 'The user is the name that you log in with.' },
  ],
  secrets: [
    { name: 'password', label: 'Password', required: false, kind: 'password', variables: ['HOLDFAST_WEBDAV_PASSWORD'], hint: 'With two-factor login: an app password.' },
  ],
  reach: ({ url = '' }) => {
    const { hostname, port, protocol } = new URL(url)
    return { host: hostname, port: Number(port) || (protocol === 'http:' ? 80 : 443) }
  },
}
