import type { ProviderDescription } from './description.ts'

export const s3: ProviderDescription = {
  id: 's3',
  name: 'S3 storage',
  summary: 'Amazon S3, Backblaze B2, Cloudflare R2, Wasabi, MinIO, Ceph, Garage',
  icon: 'cloud',
  schemes: ['s3'],
  aliases: ['b2', 'oss', 'cos'],
  form: 'server',
  example: 's3://bucket/prefix?endpoint=https://host&region=…',
  maxConnections: 64,
  fields: [
    {
      name: 'endpoint', at: 'setting', kind: 'origin', label: 'Endpoint', required: false, placeholder: 'https://s3.example.com', hint: 'Leave empty for Amazon S3.',
      problem: 'The endpoint is only http:// or https://, host and port, without credentials.',
    },
    {
      name: 'region', at: 'setting', kind: 'text', label: 'Region', required: false, pattern: /^[a-z0-9-]{1,40}$/,
      problem: 'The region is not one: small letters, digits and hyphens.',
    },
    {
      name: 'bucket', at: 'host', kind: 'text', label: 'Bucket', required: true, pattern: /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
      problem: 'The bucket\'s name has 3 to 63 small letters, digits, dots and hyphens.',
    },
    {
      name: 'prefix', at: 'path', kind: 'prefix', label: 'Folder', required: false, hint: 'A folder in the bucket, if it is used for other things too.',
      problem: 'The folder in the bucket may not hold "." or "..".',
    },
    {
      name: 'pathStyle', at: 'setting', kind: 'choice', label: 'Bucket in the path', required: false, rare: true,
      usual: 'As such servers usually want it',
      choices: [{ value: 'true', label: 'https://host/bucket' }, { value: 'false', label: 'https://bucket.host' }],
      problem: 'pathStyle is true or false.',
    },
    {
      name: 'partSize', at: 'setting', kind: 'mebibytes', label: 'Part size', required: false, rare: true, range: [5, 5120],
      problem: 'partSize is a size from 5M to 5120M.',
    },
  ],
  secrets: [
    { name: 'accessKeyId', label: 'Access key ID', required: true, kind: 'text', variables: ['AWS_ACCESS_KEY_ID'] },
    { name: 'secretAccessKey', label: 'Secret access key', required: true, kind: 'password', variables: ['AWS_SECRET_ACCESS_KEY'] },
    { name: 'sessionToken', label: 'Session token', required: false, kind: 'password', variables: ['AWS_SESSION_TOKEN'], hint: 'Only for temporary keys.' },
  ],
  presets: [
    { name: 'Amazon S3', values: { endpoint: '', region: 'us-east-1' } },
    { name: 'Backblaze B2', values: { endpoint: 'https://s3.us-west-004.backblazeb2.com', region: 'us-west-004' } },
    { name: 'Cloudflare R2', values: { endpoint: 'https://ACCOUNT.r2.cloudflarestorage.com', region: 'auto' } },
    { name: 'Wasabi', values: { endpoint: 'https://s3.wasabisys.com', region: 'us-east-1' } },
    { name: 'MinIO', values: { endpoint: 'http://127.0.0.1:9000', region: 'us-east-1' } },
    { name: 'Ceph', values: { endpoint: 'http://127.0.0.1:7480', region: 'default' } },
    { name: 'Garage', values: { endpoint: 'http://127.0.0.1:3900', region: 'garage' } },
  ],
  reach: ({ endpoint, region = 'us-east-1' }) => {
    const { hostname, port, protocol } = new URL(endpoint ?? `https://s3.${region}.amazonaws.com`)
    return { host: hostname, port: Number(port) || (protocol === 'http:' ? 80 : 443) }
  },
}
