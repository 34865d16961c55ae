import type { AddressValues } from '../../protocol/providers/description.ts'

export interface GcsAddress {
  readonly bucket: string
  /** Empty, or a name prefix that ends in `/`. */
  readonly prefix: string
}

/** Of checked values. */
export function gcsAddressOf({ bucket = '', prefix = '' }: AddressValues): GcsAddress {
  return { bucket, prefix: prefix === '' ? '' : `${prefix}/` }
}
