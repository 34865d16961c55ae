import { userInfo } from 'node:os'
import type { AddressValues } from '../../protocol/providers/description.ts'

export interface SftpAddress {
  /** Without the brackets of an IPv6 address. */
  readonly host: string
  readonly port: number
  readonly user: string
  /** `/from/the/root`, or `~/from/the/login/folder`. */
  readonly path: string
  /** A private key file on this machine. */
  readonly identity?: string
  /** The fingerprint that the server's key must have: `SHA256:…` */
  readonly hostKey?: string
}

/** Of checked values. */
export function sftpAddressOf({ host = '', port = '22', user, path = '~/', identity, hostKey }: AddressValues): SftpAddress {
  return {
    host: host.replace(/^\[|\]$/g, '').toLowerCase(), port: Number(port), user: user ?? userInfo().username, path,
    ...(identity === undefined ? {} : { identity }), ...(hostKey === undefined ? {} : { hostKey }),
  }
}

/** For people: `sftp://user@host:port/path`. */
export function shownAddress({ host, port, user, path }: SftpAddress): string {
  return `sftp://${user}@${hostAndPort({ host, port })}${path.startsWith('~') ? `/${path}` : path}`
}

/** `host`, or `host:port` where the port is not SSH's own. */
export function hostAndPort({ host, port }: Pick<SftpAddress, 'host' | 'port'>): string {
  const name = host.includes(':') ? `[${host}]` : host
  return port === 22 ? name : `${name}:${port}`
}
