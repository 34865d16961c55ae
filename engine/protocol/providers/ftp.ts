import type { ProviderDescription } from './description.ts'

export const ftp: ProviderDescription = {
  id: 'ftp',
  name: 'FTP server',
  summary: 'A server or NAS that is reached by FTPS, or by FTP without encryption',
  icon: 'server',
  schemes: ['ftps', 'ftp'],
  form: 'server',
  example: 'ftps://user@host/folder',
  maxConnections: 4,
  fields: [
    {
      name: 'host', at: 'host', kind: 'host', label: 'Server', required: true, placeholder: 'nas.local',
      problem: 'The server is a name like nas.local, or an IP address.',
    },
    { name: 'port', at: 'port', kind: 'port', label: 'Port', required: false, placeholder: '21', problem: 'The port is a number from 1 to 65535.' },
    {
      name: 'user', at: 'user', kind: 'text', label: 'User', required: false, hint: 'Leave empty to log in as anonymous.', pattern: /^.{1,256}$/u,
      problem: 'The user\'s name has at most 256 characters.',
    },
    {
      name: 'path', at: 'path', kind: 'server-path', label: 'Folder', required: true, placeholder: '~/backup', pattern: /^(?:~\/|\/.)[^\r\n]*$/,
      hint: 'From the server\'s root: /srv/backup. From the login folder: ~/backup.',
      problem: 'The folder begins with / (the server\'s root, and a folder in it) or with ~/ (the login folder), and holds neither "." nor "..".',
    },
    {
      name: 'plain', at: 'scheme', kind: 'choice', label: 'Encryption', required: false,
      usual: 'TLS: nobody on the way can read anything',
      choices: [{ value: 'ftp', label: 'None: password and file names can be read on the way' }],
      problem: 'The address begins with ftps:// or, without encryption, with ftp://.',
    },
    {
      name: 'tls', at: 'setting', kind: 'choice', label: 'Kind of encryption', required: false, rare: true,
      usual: 'From the login on, as most servers want it',
      choices: [{ value: 'explicit', label: 'From the login on' }, { value: 'implicit', label: 'From the first byte on (port 990)' }],
      problem: 'tls is explicit or implicit.',
    },
    {
      name: 'fingerprint', at: 'setting', kind: 'text', label: 'Certificate\'s fingerprint', required: false, rare: true, placeholder: 'SHA256:…', pattern: /^SHA256:[A-Za-z0-9+/]{43}$/,
      hint: 'Trusts exactly this certificate, such as one that the server has signed itself.', problem: 'The fingerprint is SHA256: and 43 characters, as errors show it.',
    },
  ],
  secrets: [{ name: 'password', label: 'Password', required: false, kind: 'password', variables: ['HOLDFAST_FTP_PASSWORD'] }],
  readableOnTheWay: ({ plain }) => plain === 'ftp',
  reach: ({ host = '', port, tls }) => ({ host: host.replace(/^\[|\]$/g, ''), port: Number(port ?? (tls === 'implicit' ? 990 : 21)) }),
}
