import type { AddressValues } from '../../protocol/providers/description.ts'

export interface DriveAddress {
  /** From My Drive down; at least one. */
  readonly folders: readonly string[]
  /** As it was signed in to; empty: the only one. */
  readonly account: string
}

/** Of checked values. A repository has a folder of its own. */
export function driveAddressOf({ folder = 'Holdfast', account = '' }: AddressValues): DriveAddress {
  return { folders: folder.normalize('NFC').split('/'), account }
}
