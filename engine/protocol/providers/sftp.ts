import type { ProviderDescription } from './description.ts'

export const sftp: ProviderDescription = {
  id: 'sftp',
  name: 'SFTP server',
  summary: 'A server or NAS that is reached by SSH: Linux, Synology, Hetzner Storage Box, rsync.net',
  icon: 'server',
  schemes: ['sftp'],
  aliases: ['ssh', 'scp'],
  form: 'server',
  example: 'sftp://user@host:22/folder',
  maxConnections: 8,
  fields: [
    {
      name: 'host', at: 'host', kind: 'host', label: 'Server', required: true, placeholder: 'nas.local',
      problem: 'The server is a name like nas.local, or an IP address.',
    },
    { name: 'port', at: 'port', kind: 'port', label: 'Port', required: false, placeholder: '22', problem: 'The port is a number from 1 to 65535.' },
    {
      name: 'user', at: 'user', kind: 'text', label: 'User', required: false, hint: 'Leave empty for the name that you have on this computer.', pattern: /^.{1,256}$/u,
      problem: 'The user\'s name has at most 256 characters.',
    },
    {
      name: 'path', at: 'path', kind: 'server-path', label: 'Folder', required: true, placeholder: '~/backup', pattern: /^(?:~\/|\/.)/,
      hint: 'From the server\'s root: /srv/backup. From the login folder: ~/backup.',
      problem: 'The folder begins with / (the server\'s root, and a folder in it) or with ~/ (the login folder), and holds neither "." nor "..".',
    },
    {
      name: 'identity', at: 'setting', kind: 'file', label: 'Key file', required: false, placeholder: '/home/me/.ssh/id_ed25519',
      hint: 'A private key. Without key and password, the keys of your SSH agent are used.', problem: 'The key file is a whole path, from the root of this computer.',
    },
    {
      name: 'hostKey', at: 'setting', kind: 'text', label: 'Server\'s key', required: false, rare: true, placeholder: 'SHA256:…', pattern: /^SHA256:[A-Za-z0-9+/]{43}$/,
      hint: 'The fingerprint that the server must have. Empty: the first one that is seen is remembered, and must stay.',
      problem: 'The fingerprint is SHA256: and 43 characters, as ssh-keygen -l shows it.',
    },
  ],
  secrets: [
    { name: 'password', label: 'Password', required: false, kind: 'password', variables: ['HOLDFAST_SFTP_PASSWORD'] },
    { name: 'privateKey', label: 'Private key', required: false, kind: 'key', variables: ['HOLDFAST_SFTP_PRIVATE_KEY'], hint: 'Instead of a key file: the text of the key.' },
    { name: 'passphrase', label: 'Passphrase of the key', required: false, kind: 'password', variables: ['HOLDFAST_SFTP_PASSPHRASE'] },
  ],
  reach: ({ host = '', port }) => ({ host: host.replace(/^\[|\]$/g, ''), port: Number(port ?? 22) }),
}
