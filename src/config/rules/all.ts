import * as claims from './claims.ts'
import * as cors from './cors.ts'
import * as gateway from './gateway.ts'
import * as paths from './paths.ts'
import * as planes from './planes.ts'
import * as references from './references.ts'
import type { Rule } from './rule.ts'
import { plainHttpStaysLocal } from './transport.ts'
import * as uniqueness from './uniqueness.ts'

/** What makes a configuration wrong. */
export const MISTAKE_RULES: readonly Rule[] = [
  gateway.publicOriginWritten,
  gateway.developmentIssuerAtHome,
  gateway.headersDistinct,
  gateway.listenersApart,
  gateway.workersShareState,
  gateway.loosenedHasReason,
  gateway.planeValuesDecide,
  gateway.databaseServable,
  gateway.adminTokenLong,
  plainHttpStaysLocal,
  uniqueness.uniqueProviderNames,
  uniqueness.uniqueIssuers,
  uniqueness.developmentIssuerAlone,
  uniqueness.uniqueLimitNames,
  uniqueness.uniqueRouteIds,
  uniqueness.routeIdFree,
  uniqueness.noRepeatedEntries,
  uniqueness.oneRouteForEachRequest,
  uniqueness.hostsCountable,
  references.upstreamsDeclared,
  references.limitsDeclared,
  references.addressLimitsNotNamed,
  references.failuresByAddress,
  references.rolesDeclared,
  planes.planeNamed,
  planes.kindFitsPlane,
  planes.planeFitsGuardedPath,
  planes.notWorkerAndAdmin,
  planes.guardedPathsApart,
  claims.numbersExact,
  planes.publicHasReason,
  planes.publicAsksNothing,
  planes.notExpired,
  cors.anyOriginIsPublic,
  cors.pagesOverTls,
  cors.corsMethodsServed,
  cors.noRepeatedCorsEntries,
  paths.gatewayPathsFree,
  paths.prefixIsPrefix,
]

/** What is allowed and probably not meant. */
export const WARNING_RULES: readonly Rule[] = [
  gateway.redisUnused,
  gateway.auditSigned,
  gateway.notEveryoneTrusted,
  references.permissionsGranted,
  planes.requirementWritten,
  planes.publicStaysOutOfGuardedPaths,
  planes.publicPassesNoCookies,
]
