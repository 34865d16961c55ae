import type { ProviderDescription } from './description.ts'

/**
 * `name:`, or `:kind:` where a kind needs no settings. Settings in an address (https://rclone.org/docs/#connection-strings) would be keys and
 * passwords, too, and so in arguments and logs.
 */
const remotePattern = /^(?:[\p{L}\p{N}_][\p{L}\p{N}_ .+@-]*|:[\p{L}\p{N}_]+):/u

export const rclone: ProviderDescription = {
  id: 'rclone',
  name: 'rclone',
  summary: 'Any of the seventy storages that rclone knows, through the rclone of this computer',
  icon: 'server',
  schemes: ['rclone'],
  form: 'whole',
  example: 'rclone:remote:folder',
  maxConnections: 8,
  runsHere: true,
  fields: [
    {
      name: 'remote', at: 'whole', kind: 'text', label: 'Remote and folder', required: true, pattern: remotePattern, placeholder: 'remote:folder',
      hint: 'The name of a remote that “rclone config” made, a colon, and a folder.',
      problem: 'A remote is its name in rclone, a colon, and a folder: remote:folder. Settings belong into rclone\'s configuration.',
    },
    {
      name: 'config', at: 'setting', kind: 'file', label: 'Configuration file', required: false, rare: true, hint: 'Where it is not the one that rclone uses by itself.',
      problem: 'The configuration file is an absolute path.',
    },
  ],
  secrets: [],
  reach: () => undefined,
}
