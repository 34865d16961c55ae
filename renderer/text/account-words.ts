import * as m from '../../main/text/compiled/messages.js'
import type { AccountView, MissingAccount, SignInKind } from '../state/bridge.ts'

const serviceNames: Readonly<Record<SignInKind, string>> = { dropbox: m.account_serviceNames_dropbox(), google: m.account_serviceNames_google(), microsoft: m.account_serviceNames_microsoft(), box: m.account_serviceNames_box() }

/** Sentences about cloud accounts and signing in to them. */
export const accountWords = {
  title: m.account_title(),
  hint: m.account_hint(),
  none: m.account_none(),
  service: (service: SignInKind) => serviceNames[service],
  account: m.account_account(),
  choose: m.account_choose(),
  /** One account as a line. */
  line: ({ service, name, login }: AccountView) => (name === login ? `${serviceNames[service]} · ${login}` : `${name} · ${serviceNames[service]} · ${login}`),
  option: ({ name, login }: AccountView) => (name === login ? login : `${name} (${login})`),
  signedIn: m.account_signedIn(),
  mustSignIn: m.account_mustSignIn(),
  signIn: (service: SignInKind) => m.account_signIn({ serviceName: serviceNames[service] }),
  signInHint: (service: SignInKind) => m.account_signInHint({ serviceName: serviceNames[service] }),
  another: m.account_another(),
  again: m.account_again(),
  againLabel: (login: string) => m.account_againLabel({ login }),
  signOut: m.account_signOut(),
  signOutLabel: (login: string) => m.account_signOutLabel({ login }),
  waiting: (service: SignInKind) => m.account_waiting({ serviceName: serviceNames[service] }),
  waitingText: m.account_waitingText(),
  noKey: (service: SignInKind) => m.account_noKey({ serviceName: serviceNames[service] }),
  noKeyText: (service: SignInKind) => m.account_noKeyText({ service: service.toUpperCase() }),
  noKeys: m.account_noKeys(),
  signedInAs: ({ service, login }: AccountView) => m.account_signedInAs({ serviceName: serviceNames[service], login }),
  signedOut: (login: string) => m.account_signedOut({ login }),
  jobWaits: ({ service, account }: MissingAccount) => (account === undefined ? m.account_jobWaits({ serviceName: serviceNames[service] }) : m.account_jobWaits2({ serviceName: serviceNames[service] })),
  jobWaitsText: ({ account }: MissingAccount) => m.account_jobWaitsText({ part: account === undefined ? m.account_jobWaitsText2() : m.account_jobWaitsText3({ account }) }),
} as const
