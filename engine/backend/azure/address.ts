import type { AddressValues } from '../../protocol/providers/description.ts'

export interface AzureAddress {
  readonly storageAccount: string
  readonly container: string
  /** Empty, or the beginning of blob names that ends in `/`. */
  readonly prefix: string
  /** Of the account's blob service, without a slash at its end. */
  readonly endpoint: string
}

/** Of checked values. */
export function azureAddressOf({ storageAccount = '', container = '', prefix = '', endpoint }: AddressValues): AzureAddress {
  return { storageAccount, container, prefix: prefix === '' ? '' : `${prefix}/`, endpoint: endpoint ?? `https://${storageAccount}.blob.core.windows.net` }
}
