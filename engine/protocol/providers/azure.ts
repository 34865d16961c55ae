import type { ProviderDescription } from './description.ts'

/**
 * The container stands where a bucket stands in the addresses of the other object storages; the storage account, which only says where the
 * container is and whose key signs, is a setting. (`account` is the name of accounts that people sign in to.)
 */
export const azure: ProviderDescription = {
  id: 'azure',
  name: 'Azure Blob Storage',
  summary: 'A container of a Microsoft Azure storage account',
  icon: 'cloud',
  schemes: ['azure'],
  aliases: ['azblob', 'azureblob', 'abfs', 'abfss', 'wasbs'],
  form: 'server',
  example: 'azure://container/prefix?storageAccount=name',
  maxConnections: 64,
  // Names: https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata
  fields: [
    {
      name: 'storageAccount', at: 'setting', kind: 'text', label: 'Storage account', required: true, pattern: /^[a-z0-9]{3,24}$/,
      problem: 'The storage account\'s name has 3 to 24 small letters and digits.',
    },
    {
      name: 'container', at: 'host', kind: 'text', label: 'Container', required: true, pattern: /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/,
      problem: 'The container\'s name has 3 to 63 small letters, digits and hyphens.',
    },
    {
      name: 'prefix', at: 'path', kind: 'prefix', label: 'Folder', required: false, hint: 'A folder in the container, if it is used for other things too.',
      problem: 'The folder in the container may not hold ".", ".." or a backslash, and no name in it may end in a dot.',
      pattern: /^(?:[^\\/]*[^\\/.](?:\/|$))*$/,
    },
    {
      name: 'endpoint', at: 'setting', kind: 'url', label: 'Endpoint', required: false, rare: true, placeholder: 'https://name.blob.core.windows.net',
      hint: 'Only for other clouds than the public one.', problem: 'The endpoint is http:// or https://, host and port, without credentials.',
    },
  ],
  secrets: [
    { name: 'accountKey', label: 'Account key', required: false, kind: 'password', variables: ['AZURE_STORAGE_KEY'], hint: 'This, or a SAS token.' },
    {
      name: 'sasToken', label: 'SAS token', required: false, kind: 'password', variables: ['AZURE_STORAGE_SAS_TOKEN'],
      hint: 'With the rights to read, add, create, write, delete and list in the container.',
    },
  ],
  reach: ({ endpoint, storageAccount = '' }) => {
    const { hostname, port, protocol } = new URL(endpoint ?? `https://${storageAccount}.blob.core.windows.net`)
    return { host: hostname, port: Number(port) || (protocol === 'http:' ? 80 : 443) }
  },
}
