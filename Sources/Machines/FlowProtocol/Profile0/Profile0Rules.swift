// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// The rules of spec: frcp whose use is counted. The simulation demands that its worlds use each of them.
package enum Profile0Rule: UInt8, CaseIterable, Sendable {
    // §3, §6: packets without effect.
    case dropsWrongForm, ignoresUnsentAcknowledgement, ignoresOldAcknowledgement, ignoresEdge
    // §7
    case beginsRun, beginsRunAfterSilence, ignoresOldRun, dropsWithoutRun, keepsAhead, passesGap, dropsDuplicate,
        refusesBeyondEdge, discardsAfterClose
    // §8, §12: what is told, and asked.
    case tellsBeforeData, tellsRoom, tellsRoomAgain, answersQuestion, asksAtEdge, asksAfterMany, takesCreditAnyway,
        sendsWithoutCredit
    // §12: why nothing more is sent.
    case edgeHoldsBack, countHoldsBack, windowHoldsBack, bytesHoldBack
    // §9, §12
    case samples, samplesNone, timeoutRepeats, timeoutDoubles, repeatsNext
    case showsLife, silentForTimeout, silentForRepetition
    // §10, §11, §12
    case refusesTooLong, rests, closesWithoutLingering, closingIsSilent, closingIsTooLong
}

/// How often each rule was used.
package struct Profile0RuleCounts: Sendable {
    private var counts = InlineArray<40, UInt32>(repeating: 0)

    package init() {}

    package subscript(_ rule: Profile0Rule) -> UInt32 { counts[Int(rule.rawValue)] }

    mutating func note(_ rule: Profile0Rule) { counts[Int(rule.rawValue)] &+= 1 }

    package mutating func add(_ other: Profile0RuleCounts) {
        for index in counts.indices { counts[index] &+= other.counts[index] }
    }
}
