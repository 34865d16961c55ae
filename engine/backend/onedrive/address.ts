import type { AddressValues } from '../../protocol/providers/description.ts'

export interface OneDriveAddress {
  /** From the app folder down. */
  readonly folders: readonly string[]
  /** As signed in with; empty where there is only one. */
  readonly account: string
}

/** Of checked values. */
export function oneDriveAddressOf({ folder = '', account = '' }: AddressValues): OneDriveAddress {
  return { folders: folder.split('/').filter((name) => name !== ''), account }
}
