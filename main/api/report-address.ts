import { isReadableOnTheWay } from '../../engine/protocol/plain-http.ts'

export type ReportAddressProblem = 'no-address' | 'readable' | 'credentials'

export const mostAddress = 2000

/** An address that is told of backups, as it is typed: https://, or http:// on this computer. What identifies its owner is part of it: it is a secret, `origin` is not. */
export function readReportAddress(typed: string): { readonly address: string; readonly origin: string } | { readonly problem: ReportAddressProblem } {
  const url = urlOf(typed.trim())
  if (!url || typed.length > mostAddress || (url.protocol !== 'https:' && url.protocol !== 'http:')) return { problem: 'no-address' }
  if (url.username !== '' || url.password !== '') return { problem: 'credentials' }
  if (isReadableOnTheWay(url.href)) return { problem: 'readable' }
  url.hash = ''
  return { address: url.href, origin: url.origin }
}

function urlOf(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}
