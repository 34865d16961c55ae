import { describe, expect, it } from 'vitest'
import { Whereabouts, hintKey } from '../../../main/repositories/whereabouts.ts'
import { spreadOf, type Where } from '../../../main/repositories/spread.ts'
import { settle } from '../fakes.ts'
import { config, openWorld } from '../jobs/world.ts'

const disk = (name: string): Where => ({ at: 'computer', disk: name })
const cloud = (kind: string): Where => ({ at: 'elsewhere', kind })
const home = [disk('sda')]

describe('how copies are spread', () => {
  it.each([
    ['nothing but the originals', home, [], { copies: 1, kinds: 1, elsewhere: 0, together: 'disk' }],
    ['a backup on the disk of the originals', home, [disk('sda')], { copies: 2, kinds: 1, elsewhere: 0, together: 'disk' }],
    ['a backup on another disk', home, [disk('sdb')], { copies: 2, kinds: 2, elsewhere: 0, together: 'computer' }],
    ['two other disks, which are one kind', home, [disk('sdb'), disk('sdc')], { copies: 3, kinds: 2, elsewhere: 0, together: 'computer' }],
    ['3-2-1', home, [disk('sdb'), cloud('s3')], { copies: 3, kinds: 3, elsewhere: 1 }],
    ['3-2-1 with the first backup on the same disk', home, [disk('sda'), cloud('s3')], { copies: 3, kinds: 2, elsewhere: 1 }],
    ['two buckets', home, [cloud('s3'), cloud('s3')], { copies: 3, kinds: 2, elsewhere: 2 }],
    ['two services', home, [cloud('s3'), cloud('sftp')], { copies: 3, kinds: 3, elsewhere: 2 }],
    ['originals on two disks, the backup on one of them', [disk('sda'), disk('sdb')], [disk('sdb')], { copies: 2, kinds: 1, elsewhere: 0, together: 'disk' }],
    ['originals on a network drive, the backup here', [cloud('network drive')], [disk('sda')], { copies: 2, kinds: 2, elsewhere: 0 }],
    ['both on it', [cloud('network drive')], [cloud('network drive')], { copies: 2, kinds: 1, elsewhere: 1 }],
  ] as const)('%s', (_what, originals, others, expected) => {
    expect(spreadOf(originals, others)).toEqual(expected)
  })
})

async function withBackup() {
  const world = openWorld()
  const id = await world.add('docs')
  world.whereabout.set('/home/u/docs', disk('sda'))
  const view = () => world.whereabouts.view(world.store.get(id))
  const backUp = async (): Promise<void> => {
    world.backups.run(id, 'manual')
    world.last().ready()
    world.last().finish({ repositoryId: 'ab' })
    await settle()
  }
  return { ...world, id, view, backUp }
}

describe('the places of a job', () => {
  it('are told once there is a backup and it is known where the originals are; what is away stays where it was', async () => {
    const { whereabouts, view, backUp, whereabout: disks } = await withBackup()
    await whereabouts.refresh()
    expect(view()).toBeUndefined()
    await backUp()
    // A disk that was never seen is not the one of the originals.
    expect(view()).toEqual({ copies: 2, kinds: 2, elsewhere: 0, hint: 'computer' })
    disks.set('/backup', disk('sda'))
    await whereabouts.refresh()
    expect(view()).toEqual({ copies: 2, kinds: 1, elsewhere: 0, hint: 'disk' })
    disks.clear()
    await whereabouts.refresh()
    expect(view()).toEqual({ copies: 2, kinds: 1, elsewhere: 0, hint: 'disk' })
  })

  it('count a copy only once it was made', async () => {
    const { whereabouts, view, backUp, store, repositoryOf, id, copies, secrets, last, hosts } = await withBackup()
    await whereabouts.refresh()
    await backUp()
    const { id: copyId } = await store.copies.add({ repository: repositoryOf(id), destination: { type: 'folder', path: '/copy' }, removeVanished: false, addedMs: 0 })
    expect(view()).toMatchObject({ copies: 2 })
    await secrets.set(copyId, 'file:///copy', { password: 'x', storage: {} })
    copies.run(copyId)
    expect(hosts).toHaveLength(2)
    last().ready()
    last().finish({ operation: 'sync', repositoryId: 'cd', details: { plan: [], done: [] } })
    await settle()
    expect(view()).toMatchObject({ copies: 3, kinds: 2, elsewhere: 0 })
  })

  it('on a server of this very computer are at this computer, on any other elsewhere', async () => {
    const { whereabouts, view, backUp, store, id } = await withBackup()
    await whereabouts.refresh()
    await backUp()
    const at = async (host: string) => {
      await store.update(id, { ...config, destination: { type: 'provider', provider: 's3', values: { endpoint: `http://${host}:9000`, region: 'eu-1', bucket: 'backups', prefix: 'p' } } })
      return view()
    }
    expect(await at('127.0.0.1')).toEqual({ copies: 2, kinds: 2, elsewhere: 0, hint: 'computer' })
    expect(await at('nas.example')).toEqual({ copies: 2, kinds: 2, elsewhere: 1 })
  })

  it('that are together are told until somebody wants it so, and again where it becomes another matter', async () => {
    const { whereabouts, view, backUp, whereabout: disks, dismiss, id } = await withBackup()
    disks.set('/backup', disk('sda'))
    await whereabouts.refresh()
    await backUp()
    dismiss(hintKey('disk', id))
    expect(view()).toEqual({ copies: 2, kinds: 1, elsewhere: 0 })
    disks.set('/backup', disk('sdb'))
    await whereabouts.refresh()
    expect(view()).toMatchObject({ hint: 'computer' })
  })

  it('are asked for once at a time: a network drive that hangs is not asked again', async () => {
    const { store, history, copies } = await withBackup()
    const asked: string[] = []
    const whereabouts = new Whereabouts({
      store, history, copies, isDismissed: () => false, onChange: () => undefined,
      diskOf: (path) => {
        asked.push(path)
        return path === '/backup' ? new Promise(() => undefined) : Promise.resolve(undefined)
      },
    })
    void whereabouts.refresh()
    await settle()
    void whereabouts.refresh()
    await settle()
    expect(asked.toSorted()).toEqual(['/backup', '/home/u/docs', '/home/u/docs'])
  })
})
