import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SampleLog } from './sample-log.ts'

/** Three segments: the first compressed, the second cut short by a crash, the third closed. `many`: lines in each, about. `named`: that the log is empty is signed before its first line. */
export function crashedAndClosed(directory: string, many = 1, named = true): SampleLog {
  const log = new SampleLog(directory)
  if (named) log.checkpoint(false)
  const first = log.segment()
  log.decisions(many)
  log.checkpoint()
  log.decisions(many)
  log.checkpoint(false)
  log.segment('size')
  log.decisions(many)
  log.checkpoint()
  const torn = log.tear('{"seq":9,"prev":"00')
  log.segment()
  log.recovered(torn)
  log.compress(first, readFileSync(join(directory, first)))
  log.decisions(many)
  log.close()
  return log
}
