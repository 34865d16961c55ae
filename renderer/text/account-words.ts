import type { AccountView, MissingAccount, SignInKind } from '../state/bridge.ts'

const serviceNames: Readonly<Record<SignInKind, string>> = { dropbox: 'Dropbox', google: 'Google', microsoft: 'Microsoft', box: 'Box' }

/** Sentences about cloud accounts and signing in to them. */
export const accountWords = {
  title: 'Accounts',
  hint: 'Signing in happens on the page of the service, in your browser. Holdfast never sees your password there.',
  none: 'Nobody is signed in.',
  service: (service: SignInKind) => serviceNames[service],
  account: 'Account',
  choose: 'Choose an account',
  /** One account as a line. */
  line: ({ service, name, login }: AccountView) => (name === login ? `${serviceNames[service]} · ${login}` : `${name} · ${serviceNames[service]} · ${login}`),
  option: ({ name, login }: AccountView) => (name === login ? login : `${name} (${login})`),
  signedIn: 'Signed in',
  mustSignIn: 'Has to be signed in to again',
  signIn: (service: SignInKind) => `Sign in with ${serviceNames[service]}`,
  signInHint: (service: SignInKind) => `Opens the page of ${serviceNames[service]} in your browser. Allow Holdfast there, then come back.`,
  another: 'Sign in to another account',
  again: 'Sign in again',
  againLabel: (login: string) => `Sign in to ${login} again`,
  signOut: 'Sign out…',
  signOutLabel: (login: string) => `Sign out of ${login}`,
  waiting: (service: SignInKind) => `Go on in your browser: ${serviceNames[service]} asks whether Holdfast may come in`,
  waitingText: 'This window goes on by itself when you have answered there.',
  noKey: (service: SignInKind) => `This copy of Holdfast was built without an app key for ${serviceNames[service]}`,
  noKeyText: (service: SignInKind) => `Nobody can sign in with it. With an app of your own, set HOLDFAST_${service.toUpperCase()}_APP_KEY; the README says how.`,
  noKeys: 'This copy of Holdfast was built without app keys, so nobody can sign in with it. With an app of your own it works; the README says how.',
  signedInAs: ({ service, login }: AccountView) => `Signed in to ${serviceNames[service]} as ${login}`,
  signedOut: (login: string) => `Signed out of ${login}`,
  jobWaits: ({ service, account }: MissingAccount) => (account === undefined ? `Sign in to ${serviceNames[service]}` : `Sign in to ${serviceNames[service]} again`),
  jobWaitsText: ({ account }: MissingAccount) => `${account === undefined ? 'Nobody is signed in.' : `The consent for ${account} was withdrawn, or has ended.`} The job waits, and goes on by itself when you have signed in.`,
} as const
