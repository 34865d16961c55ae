import type { MailServer } from './mail-views.ts'

export const mostRecipients = 10
const mostAddress = 254

/**
 * One address of an e-mail, as it is typed: somebody at a host. Nothing else may stand in it, so that no line and no second recipient hides in one. Undefined for
 * what is none.
 */
export function readMailAddress(typed: string): string | undefined {
  const text = typed.trim()
  return text.length <= mostAddress && /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[\p{L}\p{N}](?:[\p{L}\p{N}.-]*[\p{L}\p{N}])?$/u.test(text) && !text.includes('..') ? text : undefined
}

/** Several, with commas, semicolons or spaces between them. Undefined where one is none, there is none, or there are too many. */
export function readMailAddresses(typed: string): readonly string[] | undefined {
  const parts = typed.split(/[\s,;]+/).filter((part) => part !== '')
  const read = parts.map(readMailAddress)
  const all = [...new Set(read.flatMap((one) => (one === undefined ? [] : [one])))]
  return read.includes(undefined) || all.length === 0 || all.length > mostRecipients ? undefined : all
}

/** A name or an address of a host, without a port. */
export function isMailHost(text: string): boolean {
  return text.length <= 253 && /^(?:[\p{L}\p{N}](?:[\p{L}\p{N}.-]*[\p{L}\p{N}])?|\[?[0-9a-fA-F:]+:[0-9a-fA-F:.]*\]?)$/u.test(text)
}

/** What a kept password is bound to: it goes nowhere else. */
export function mailAddressOf({ host, port, security, user = '' }: MailServer): string {
  return `smtp:${security}:${host.toLowerCase()}:${port}:${user}`
}
