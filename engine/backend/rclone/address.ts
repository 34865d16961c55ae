import type { AddressValues } from '../../protocol/providers/description.ts'

export interface RcloneAddress {
  /** As rclone takes it: `remote:folder`. */
  readonly remote: string
  readonly config: string | undefined
}

/** Of checked values. */
export function rcloneAddressOf({ remote = '', config }: AddressValues): RcloneAddress {
  return { remote, config }
}
