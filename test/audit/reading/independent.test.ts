import assert from 'node:assert/strict'
import { createHash, createPublicKey, type KeyObject, verify as verifySignature } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { proofText } from '../../../src/audit/format/proof-text.ts'
import { noteKey, parseNote, signedBy } from '../../../src/audit/format/signed-note.ts'
import { proveLine } from '../../../src/audit/reading/prove.ts'
import { folder } from './log-copies.ts'
import { ORIGIN, PUBLIC } from './sample-log.ts'
import { crashedAndClosed } from './sample-logs.ts'

/*
 * Written from c2sp.org/signed-note, tlog-checkpoint and tlog-proof and RFC 9162 section 2.1.3.2 alone: nothing below this line down to `describe` uses our code.
 */

function sum(...parts: Buffer[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest()
}

function rawKey(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' }).subarray(-32)
}

/** Text of a note that the key signed under the name. */
function openNote(note: string, name: string, key: KeyObject): string {
  const [text, signatures] = [note.slice(0, note.lastIndexOf('\n\n') + 1), note.slice(note.lastIndexOf('\n\n') + 2)]
  const id = sum(Buffer.from(`${name}\n`), Buffer.from([1]), rawKey(key)).subarray(0, 4)
  for (const line of signatures.split('\n').filter(Boolean)) {
    const [dash, signer, base64 = ''] = line.split(' ')
    const bytes = Buffer.from(base64, 'base64')
    if (dash !== '\u2014' || signer !== name || !bytes.subarray(0, 4).equals(id)) continue
    assert.ok(verifySignature(null, Buffer.from(text), key, bytes.subarray(4)), 'signature')
    return text
  }
  assert.fail('no signature by the key')
}

/** The entry that a proof proves. */
function openProof(proof: string, name: string, key: KeyObject): Buffer {
  const [head = '', ...rest] = proof.split('\n\n')
  const [version, extra = '', indexLine = '', ...path] = head.split('\n')
  assert.equal(version, 'c2sp.org/tlog-proof@v1')
  const entry = Buffer.from(extra.slice('extra '.length), 'base64')
  const [origin, size, root] = openNote(rest.join('\n\n'), name, key).split('\n')
  assert.equal(origin, name)
  let [fn, sn, r] = [Number(indexLine.slice('index '.length)), Number(size) - 1, sum(Buffer.from([0]), entry)]
  for (const p of path.map((hash) => Buffer.from(hash, 'base64'))) {
    assert.notEqual(sn, 0, 'too long')
    if (fn % 2 === 1 || fn === sn) {
      r = sum(Buffer.from([1]), p, r)
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [fn / 2, Math.floor(sn / 2)]
    } else r = sum(Buffer.from([1]), r, p)
    ;[fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)]
  }
  assert.equal(sn, 0, 'too short')
  assert.equal(r.toString('base64'), root)
  return entry
}

describe('the log in the eyes of others', () => {
  it('every checkpoint is a signed note whose key id and signature an independent reading verifies', (test) => {
    const directory = folder(test)
    const log = crashedAndClosed(directory, 4)
    const notes = readFileSync(join(directory, 'audit.checkpoints'), 'utf8').split(/(?<=\n)\n(?!\u2014)/u)
    assert.deepEqual(notes, log.notes)
    for (const note of notes)
      assert.match(openNote(note, ORIGIN, PUBLIC), /^api\.example\.com\/audit\/[0-9a-f]{16}\n\d+\n[A-Za-z0-9+/]{43}=\n$/)
    assert.throws(
      () => openNote((notes[1] ?? '').replace('\n3\n', '\n4\n').replace('\n5\n', '\n6\n'), ORIGIN, PUBLIC),
      /signature/,
    )
  })

  it('every line is proven by a proof that an independent reading verifies', async (test) => {
    const directory = folder(test)
    const log = crashedAndClosed(directory, 4)
    for (let seq = 1; seq <= log.seq; seq++) {
      const { proof, record } = await proveLine(directory, seq, [PUBLIC])
      const entry = openProof(proofText(proof), ORIGIN, PUBLIC)
      assert.deepEqual([JSON.parse(entry.toString()), record.seq], [record, seq])
    }
  })

  it('a note that Go signed verifies, and nothing else in its name', () => {
    const text =
      'If you think cryptography is the answer to your problem,\nthen you don\u2019t know what your problem is.\n'.replace(
        '\u2019',
        "'",
      )
    const signature = 'x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM='
    const note = `${text}\n\u2014 PeterNeumann ${signature}\n`
    const raw = Buffer.from('ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', 'base64').subarray(1)
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' })
    const known = noteKey('PeterNeumann', key)
    assert.equal(known.id.toString('hex'), 'c74f20a3')
    const parsed = parseNote(note)
    assert.ok(parsed !== null && signedBy(parsed, [known]))
    assert.equal(openNote(note, 'PeterNeumann', key), text)
    const other = parseNote(note.replace('problem,', 'problems,'))
    assert.ok(other !== null && !signedBy(other, [known]))
    assert.ok(!signedBy(parsed, [noteKey('PeterNeumann', PUBLIC)]))
  })
})
