import type { AddressValues } from '../../protocol/providers/description.ts'

export interface FtpAddress {
  /** Without the brackets of an IPv6 address. */
  readonly host: string
  readonly port: number
  readonly user: string
  /** `/from/the/root`, or `~/from/the/login/folder`. */
  readonly path: string
  /** `explicit`: the connection is encrypted from the login on (AUTH TLS, RFC 4217); `implicit`: from its first byte on. */
  readonly tls: 'none' | 'explicit' | 'implicit'
  /** The certificate that the server must have, whoever signed it: `SHA256:…` of its bytes. */
  readonly fingerprint?: string
}

/** Of checked values. */
export function ftpAddressOf({ plain, host = '', port, user = 'anonymous', path = '~/', tls: kind, fingerprint }: AddressValues): FtpAddress {
  const tls = plain === 'ftp' ? 'none' : kind === 'implicit' ? 'implicit' : 'explicit'
  return {
    host: host.replace(/^\[|\]$/g, '').toLowerCase(), port: Number(port ?? (tls === 'implicit' ? 990 : 21)), user, path, tls,
    ...(fingerprint === undefined ? {} : { fingerprint }),
  }
}

/** For people: `ftps://user@host:port/path`. */
export function shownAddress({ host, port, user, path, tls }: FtpAddress): string {
  const name = host.includes(':') ? `[${host}]` : host
  const usual = tls === 'implicit' ? 990 : 21
  return `${tls === 'none' ? 'ftp' : 'ftps'}://${user}@${name}${port === usual ? '' : `:${port}`}${path.startsWith('~') ? `/${path}` : path}`
}
