import type { Channel } from '../../../main/api/contract.ts'
import type { Attack, Scene } from './attack-scene.ts'

/** What the channels of logs and reports are tried with. */
export const reportAttacks = {
  'report.set': ({ local, server }) => [
    ['tells a server of its own', { jobId: local.id, report: { kind: 'json', address: server.endpoint } }, 'aborted'],
    ['tells one far away', { jobId: local.id, report: { kind: 'ping', address: 'https://attacker.example/' } }, 'aborted'],
    ['tells one where everybody can read it', { jobId: local.id, report: { kind: 'ping', address: 'http://192.0.2.1/' } }, 'arguments'],
    ['sends it to a file', { jobId: local.id, report: { kind: 'json', address: 'file:///etc/passwd' } }, 'arguments'],
    ['sends words of its own', { jobId: local.id, report: { kind: 'json', address: 'https://attacker.example/', body: 'x' } }, 'arguments'],
    ['of a job that is not there', { jobId: 'constructor', report: null }, 'not-found'],
    ['tells nobody any more of what nobody was told of', { jobId: local.id, report: null }, 'allowed'],
  ],
  'mail.set': ({ server }) => [
    ['sends messages by way of a server of its own', { server: { host: new URL(server.endpoint).hostname, port: 25, security: 'starttls', from: 'a@attacker.example', to: ['b@attacker.example'] } }, 'aborted'],
    ['with the kept password', { server: { host: 'attacker.example', port: 25, security: 'tls', user: 'mia', from: 'a@attacker.example', to: ['b@attacker.example'] } }, 'arguments'],
    ['to somebody who is hidden in an address', { server: { host: 'attacker.example', port: 25, security: 'tls', from: 'a@b', to: ['a@b\r\nBcc: x@y'] } }, 'arguments'],
    ['where everybody can read them', { server: { host: 'attacker.example', port: 25, security: 'none', from: 'a@b', to: ['a@b'] } }, 'arguments'],
    ['none, where there is no server', { server: null }, 'allowed'],
  ],
  'mail.test': () => [['sends words of its own', { to: 'x@attacker.example', text: 'x' }, 'arguments'], ['where no server is set up', undefined, 'not-found']],
  'mail.choose': ({ local }) => [['of a job that is not there', { jobId: 'constructor', when: 'always' }, 'not-found'], ['tells it never', { jobId: local.id, when: 'never' }, 'arguments']],
  'history.copyLog': ({ local }) => [['takes the whole log', { jobId: local.id, runId: '-' }, 'allowed']],
  'logs.page': () => [
    ['reads another file', { filter: {}, limit: 10, before: '../../secrets.json' }, 'arguments'],
    ['reads everything at once', { filter: {}, limit: 1e9 }, 'arguments'],
    ['reads by a pattern of its own', { filter: { text: 'a', pattern: '(a+)+$' }, limit: 10 }, 'arguments'],
    ['reads from where nothing is', { filter: {}, limit: 10, before: '0000000000000000-999999999999' }, 'allowed'],
  ],
  'support.make': () => [['tells what it wants to', { names: true, secrets: true }, 'arguments'], ['puts one together', { names: true }, 'allowed']],
  'support.read': () => [['reads another file', { name: '../secrets.json', from: 0 }, 'not-found'], ['reads by a path', { name: '/etc/passwd', from: 0 }, 'not-found'], ['reads from nowhere', { name: 'log.jsonl', from: -1 }, 'arguments']],
  'support.save': () => [['saves it where it wants to', { path: '/etc/cron.d/x' }, 'arguments'], ['saves nothing where nobody chooses', undefined, 'allowed']],
  'support.discard': () => [['discards what is not there', undefined, 'allowed']],
  'logs.copy': () => [
    ['copies words of its own', { lines: ['rm -rf ~'] }, 'arguments'],
    ['copies what is not there', { lines: ['0000000000000000-0'] }, 'allowed'],
  ],
} as const satisfies Partial<Readonly<Record<Channel, (scene: Scene) => readonly Attack[]>>>
