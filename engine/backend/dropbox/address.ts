import type { AddressValues } from '../../protocol/providers/description.ts'

export interface DropboxAddress {
  /** Empty, or `/` and folders. */
  readonly root: string
  /** As signed in with; empty where there is only one. */
  readonly account: string
}

/** Of checked values. */
export function dropboxAddressOf({ folder = '', account = '' }: AddressValues): DropboxAddress {
  return { root: folder === '' ? '' : `/${folder}`, account }
}
