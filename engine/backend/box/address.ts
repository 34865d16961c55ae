import type { AddressValues } from '../../protocol/providers/description.ts'

export interface BoxAddress {
  /** From the account's root down. */
  readonly folders: readonly string[]
  /** As signed in with; empty where there is only one. */
  readonly account: string
}

/** Of checked values. */
export function boxAddressOf({ folder = '', account = '' }: AddressValues): BoxAddress {
  return { folders: folder.split('/').filter((name) => name !== ''), account }
}
