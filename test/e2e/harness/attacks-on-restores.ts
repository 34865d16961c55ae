import { join } from 'node:path'
import type { Channel } from '../../../main/api/contract.ts'
import { idOf, inputOf, invented, restoring, type Attacks, type Scene } from './attack-scene.ts'
import { bytes } from './attacker.ts'

function planning({ local, snapshot }: Scene, target: unknown, more: object = {}): unknown {
  return { place: { jobId: local.id }, snapshot, target, paths: [], except: [], limit: 100, ...more }
}

/** What the channels are tried with by which snapshots are looked at and restored. */
export const attacksOnRestores: Attacks<Extract<Channel, `browse.${string}` | `restore.${string}`>> = {
  'browse.snapshots': ({ local }) => [
    ['looks at what is not there', { place: { jobId: 'constructor' } }, 'not-found'],
    ['looks at what nobody has opened', { place: { visitId: local.id } }, 'not-found'],
    ['looks at two places at once', { place: { jobId: local.id, visitId: 'a' } }, 'arguments'],
  ],
  'browse.list': ({ local, snapshot }) => [
    ['looks outside of the snapshot', { place: { jobId: local.id }, snapshot, path: bytes(...Buffer.from('../../../../etc')), limit: 10 }, 'not-found'],
    ['looks at everything at once', { place: { jobId: local.id }, snapshot, path: bytes(), limit: 1e9 }, 'arguments'],
  ],
  'browse.search': ({ local }) => [
    ['searches what nobody has opened', { place: { visitId: local.id }, text: 'secret', limit: 10 }, 'not-found'],
    ['searches for everything at once', { place: { jobId: local.id }, text: 'a', limit: 1e9 }, 'arguments'],
    ['searches with a text without an end', { place: { jobId: local.id }, text: 'a'.repeat(10_000), limit: 10 }, 'arguments'],
    ['speaks SQL', { place: { jobId: local.id }, text: 'x', after: "1.1' OR 1=1 --", limit: 10 }, 'arguments'],
    ['speaks to the index', { place: { jobId: local.id }, text: '" OR trigrams:* NEAR(', limit: 10 }, 'allowed'],
  ],
  'browse.preview': ({ local, snapshot }) => [
    ['reads outside of the snapshot', { place: { jobId: local.id }, snapshot, path: bytes(...Buffer.from('../../../../etc/passwd')) }, 'not-found'],
    ['reads what nobody has opened', { place: { visitId: local.id }, snapshot, path: bytes(97) }, 'not-found'],
    ['reads more than is shown', { place: { jobId: local.id }, snapshot, path: bytes(97), limit: 1e12 }, 'arguments'],
  ],
  'browse.compare': ({ local, snapshot }) => [
    ['compares with a file of this computer', { place: { jobId: local.id }, older: '/etc/passwd', newer: snapshot, path: bytes(97) }, 'arguments'],
    ['compares outside of the snapshot', { place: { jobId: local.id }, older: snapshot, newer: snapshot, path: bytes(...Buffer.from('../../etc/passwd')) }, 'not-found'],
  ],
  'browse.versions': ({ local, snapshot }) => [
    ['asks for versions of what is not there', { place: { jobId: local.id }, snapshot: 'constructor@1', path: bytes() }, 'not-found'],
    ['asks for versions outside of the snapshot', { place: { jobId: local.id }, snapshot, path: bytes(...Buffer.from('../../../../etc/passwd')) }, 'allowed'],
  ],
  'browse.changes': ({ local, snapshot }) => [
    ['compares what nobody has opened', { place: { visitId: local.id }, snapshot, limit: 10 }, 'not-found'],
    ['compares what is not there', { place: { jobId: local.id }, snapshot: 'constructor@1', limit: 10 }, 'not-found'],
    ['asks for all changes at once', { place: { jobId: local.id }, snapshot, limit: 1e9 }, 'arguments'],
  ],
  'restore.plan': (scene) => [
    ['looks at a folder by its path', planning(scene, '/etc'), 'arguments'],
    ['looks at a folder by an invented id', planning(scene, invented), 'arguments'],
    ['looks at what is backed up', planning(scene, idOf(scene.chosen.sources)), 'arguments'],
    ['looks outside of the folder that was chosen', planning(scene, idOf(scene.chosen.home), { paths: [bytes(...Buffer.from('../../etc/passwd'))] }), 'not-found'],
    ['asks for all at once', planning(scene, idOf(scene.chosen.home), { limit: 1_000_000 }), 'arguments'],
    ['goes on outside of the snapshot', planning(scene, idOf(scene.chosen.home), { after: bytes(...Buffer.from('../../etc/passwd')) }), 'allowed'],
  ],
  'restore.start': (scene) => [
    ['plants an autostart file by its path', restoring(scene, join(scene.app.home, '.config/autostart')), 'arguments'],
    ['plants it by an invented id', restoring(scene, invented), 'arguments'],
    ['plants it in a folder that was chosen to be read', restoring(scene, idOf(scene.chosen.sources)), 'arguments'],
    ['plants it in the folder of the job', restoring(scene, inputOf(scene.local).sources[0]), 'arguments'],
    ['overwrites the repository', restoring(scene, idOf(scene.chosen.destination)), 'arguments'],
    ['plants it where a person once chose', restoring(scene, idOf(scene.chosen.autostart)), 'aborted'],
    ['plants it in the home that a person chose', restoring(scene, idOf(scene.chosen.home)), 'aborted'],
    ['restores once more where a person restored to', restoring(scene, idOf(scene.chosen.restore)), 'arguments'],
    ['writes to where files were without a word', restoring(scene, { original: true }), 'aborted'],
    ['says itself where files were', restoring(scene, { original: true, origins: ['/etc'] }), 'arguments'],
    ['takes from more snapshots than anybody would', restoring(scene, idOf(scene.chosen.home), { more: Array.from({ length: 100 }, () => ({ snapshot: scene.snapshot, paths: [], except: [] })) }), 'arguments'],
    ['hides another version of everything behind one file', restoring(scene, { original: true }, { paths: [bytes(97)], more: [{ snapshot: scene.snapshot, paths: [], except: [] }] }), 'aborted'],
    ['picks paths of gigabytes', restoring(scene, idOf(scene.chosen.home), { paths: Array.from({ length: 10_001 }, () => bytes(97)) }), 'arguments'],
  ],
  'restore.retry': () => [['tries again what is not there', { restoreId: 'constructor' }, 'not-found'], ['chooses what is tried again', { restoreId: 'a', paths: [bytes(97)] }, 'arguments']],
  'restore.pause': () => [['pauses what is not there', { restoreId: 'constructor' }, 'not-found']],
  'restore.resume': () => [['resumes what is not there', { restoreId: 'constructor' }, 'not-found']],
  'restore.stop': () => [['stops what is not there', { restoreId: 'constructor' }, 'not-found']],
  'restore.dismiss': () => [['hides what is not there', { restoreId: 'constructor' }, 'allowed']],
}
