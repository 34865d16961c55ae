import type { AddressValues } from '../../protocol/providers/description.ts'

export interface WebDavAddress {
  readonly origin: string
  /** Percent-encoded, with a slash in front and none behind; empty for the root. */
  readonly base: string
  readonly user: string
  /** Where Nextcloud and ownCloud take uploads in chunks; undefined on other servers. */
  readonly uploads: string | undefined
}

/** Of checked values. A Nextcloud is known by its address: https://host/remote.php/dav/files/USER/folder. */
export function webDavAddressOf({ url = '', user = '' }: AddressValues): WebDavAddress {
  const { origin, pathname } = new URL(url)
  const base = pathname.replace(/\/+$/, '')
  const nextcloud = /^(.*\/remote\.php\/dav)\/files\/([^/]+)(?:\/|$)/.exec(base)
  return { origin, base, user, uploads: nextcloud ? `${nextcloud[1] ?? ''}/uploads/${nextcloud[2] ?? ''}` : undefined }
}
