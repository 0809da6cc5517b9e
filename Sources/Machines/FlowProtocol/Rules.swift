// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// The rules of spec: frcp-profile-1 whose use is counted. The simulation demands that its worlds use each of them.
package enum Rule: UInt8, CaseIterable, Sendable {
    // §2: packets that are dropped without effect, and old packets, of which a part is ignored.
    case dropsWrongForm, dropsTooMuchCredit, dropsUnsentAcknowledgement, dropsBadFrame, dropsForbiddenNumber,
        dropsOldAbort
    case ignoresOldAcknowledgement
    // §3
    case acceptsEndAtEdge, refusesWithoutMemory, refusesLastPlace, discardsAfterClose
    case edgeHoldsBack, limitHoldsBack
    case gapPassedByTime, gapPassedBySequence
    // §4
    case tellsRepeated, tellsLong, tellsOnlyHighestRanges
    // §5: why a control packet is due.
    case tellsForQuestion, tellsForEnd, tellsForOpenGap, tellsForFilledGap, tellsForPassedGap, tellsForMissing,
        tellsForRoom
    case tellsAfterMany, tellsAfterManyInGap, tellsAfterDelay, tellsDuplicates, tellsDuplicatesLater, tellsForClose
    // §5: why RDVS is set; by a control packet: asksFor…
    case asksFirst, asksWithProbe, asksWithEnd, asksAfterShare, asksAtWindow, asksAtEdge, asksAtLimit, asksAfterLongTime
    case asksForPersist, asksForTimeout, asksForProbe, asksForSilence
    // §6
    case samplesFirst, samplesSecond, samplesNone, samplesMinimum
    case timeoutDoubles, timeoutDoublesLong, timerIsLate
    // §7
    case losesAtOnce, losesByTime, losesByTimeout, losesByCounts
    case patienceGrows, patienceReturns, probesNew, probesOld, undoesByNewest, undoesByDuplicates
    // §8
    case cutsMessage, refusesTooLong, dropsBrokenMessage, dropsIncompleteMessage, breaks, givesRoomToComplete
    // §9
    case endSent, endRepeated, endAcknowledged, endCame, abortSent, abortRepeated, abortAnswers, abortCame
    case closingIsSilent, closingIsTooLong, closesWithoutLingering
    // §10
    case silenceIsBroken, silentForTimeout, silentForRepetition, repeatsInVain
    // §11
    case windowHoldsBack, paceHoldsBack, growsLikeCubic, reducesByLoss, reducesByDelay, collapses, restarts, startEnds
}

/// How often each rule was used.
package struct RuleCounts: Sendable {
    private static let most = 96
    private var counts = InlineArray<96, UInt32>(repeating: 0)

    package init() {}

    package subscript(_ rule: Rule) -> UInt32 { counts[Int(rule.rawValue)] }

    mutating func note(_ rule: Rule) { counts[Int(rule.rawValue)] &+= 1 }

    package mutating func add(_ other: RuleCounts) {
        for index in 0..<RuleCounts.most { counts[index] &+= other.counts[index] }
    }
}
