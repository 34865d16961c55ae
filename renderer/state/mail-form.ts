import { isMailHost, mailAddressOf, readMailAddress, readMailAddresses } from '../../main/api/mail-address.ts'
import type { MailSecurity, MailServer } from './bridge.ts'

export interface MailFields {
  readonly host: string
  readonly port: string
  readonly security: MailSecurity
  readonly user: string
  readonly password: string
  readonly from: string
  readonly to: string
}

/** The ports that servers use for it. */
export const usualPorts: Readonly<Record<MailSecurity, string>> = { starttls: '587', tls: '465' }

export function fieldsOf(server: MailServer | undefined): MailFields {
  if (!server) return { host: '', port: usualPorts.starttls, security: 'starttls', user: '', password: '', from: '', to: '' }
  return { host: server.host, port: String(server.port), security: server.security, user: server.user ?? '', password: '', from: server.from, to: server.to.join(', ') }
}

export type MailProblem = 'host' | 'port' | 'from' | 'to' | 'password'

/** What was entered, or what is wrong with it. @param kept the server whose password is stored */
export function readMailFields(fields: MailFields, kept: MailServer | undefined): { readonly server: MailServer; readonly password?: string } | { readonly problems: readonly MailProblem[] } {
  const port = /^\d{1,5}$/.test(fields.port.trim()) ? Number(fields.port) : 0
  const [host, user, from, to] = [fields.host.trim(), fields.user.trim(), readMailAddress(fields.from), readMailAddresses(fields.to)]
  const isPort = port >= 1 && port <= 65_535
  const server = { host, port, security: fields.security, ...(user !== '' && { user }), from: from ?? '', to: to ?? [] }
  const needsPassword = user !== '' && fields.password === '' && (kept === undefined || mailAddressOf(kept) !== mailAddressOf(server))
  const problems: readonly (MailProblem | false)[] = [!isMailHost(host) && 'host', !isPort && 'port', from === undefined && 'from', to === undefined && 'to', needsPassword && 'password']
  const found = problems.filter((one) => one !== false)
  return found.length > 0 ? { problems: found } : { server, ...(user !== '' && fields.password !== '' && { password: fields.password }) }
}
