import type { ProviderDescription } from './description.ts'

export const gcs: ProviderDescription = {
  id: 'gcs',
  name: 'Google Cloud Storage',
  summary: 'A bucket of Google Cloud, with the key of a service account',
  icon: 'cloud',
  schemes: ['gs'],
  aliases: ['gcs'],
  form: 'server',
  example: 'gs://bucket/prefix',
  maxConnections: 64,
  fields: [
    {
      name: 'bucket', at: 'host', kind: 'text', label: 'Bucket', required: true, pattern: /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/,
      problem: 'The bucket\'s name has 3 to 222 small letters, digits, dots, hyphens and underscores.',
    },
    {
      name: 'prefix', at: 'path', kind: 'prefix', label: 'Folder', required: false, hint: 'A folder in the bucket, if it is used for other things too.',
      problem: 'The folder in the bucket may not hold "." or "..".',
    },
  ],
  secrets: [
    {
      name: 'serviceAccount', label: 'Key of a service account', required: true, kind: 'key', variables: ['HOLDFAST_GCS_KEY'], fileVariables: ['GOOGLE_APPLICATION_CREDENTIALS'],
      hint: 'The whole JSON file. The account needs the role "Storage Object Admin" on the bucket.',
    },
  ],
  reach: () => ({ host: 'storage.googleapis.com', port: 443 }),
}
