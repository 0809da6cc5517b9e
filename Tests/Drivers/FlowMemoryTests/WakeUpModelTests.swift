// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import Testing

/// Every interleaving of one sleeper and one waker under total store order: each side has a store buffer, whose oldest
/// store may reach memory at any moment. A lost wake-up is an end where the sleeper sleeps although something was
/// published. This is the model of `FlowMemory/WakeUp.swift`; the steps are the ones of its comment.
@Suite struct WakeUpModelTests {
    private enum Barrier { case none, fence, membarrier }

    private struct World: Hashable {
        // Memory.
        var published = false
        var waitWord = false
        // Store buffers: at most one store each.
        var wakerStore = false
        var sleeperStore = false
        // Program counters and what was seen.
        var waker = 0
        var sleeper = 0
        var sleeperSawNothing = false
        var woken = false

        func sees(published own: Bool) -> Bool { published || own && wakerStore }
    }

    /// All states that the next steps can lead to; none = finished.
    private static func steps(_ world: World, wakerFences: Bool, sleeper barrier: Barrier) -> [World] {
        var next: [World] = []
        // A store buffer drains at any moment.
        if world.wakerStore {
            var drained = world
            drained.wakerStore = false
            drained.published = true
            next.append(drained)
        }
        if world.sleeperStore {
            var drained = world
            drained.sleeperStore = false
            drained.waitWord = true
            next.append(drained)
        }
        var step = world
        switch world.waker {
        case 0:  // publishes
            step.wakerStore = true
            step.waker = 1
            next.append(step)
        case 1:  // the barrier: waits until its own stores are in memory
            if !wakerFences || !world.wakerStore {
                step.waker = 2
                next.append(step)
            }
        case 2:  // looks; an exchange takes the word and wakes
            step.waker = 3
            if world.waitWord {
                step.waitWord = false
                step.woken = true
            }
            next.append(step)
        default: break
        }
        step = world
        switch world.sleeper {
        case 0:  // sets the word
            step.sleeperStore = true
            step.sleeper = 1
            next.append(step)
        case 1:
            switch barrier {
            case .none: step.sleeper = 2
            case .fence where world.sleeperStore: break
            case .fence: step.sleeper = 2
            case .membarrier:  // also the waker's stores reach memory, at whatever step it is
                step.sleeperStore = false
                step.waitWord = world.waitWord || world.sleeperStore
                step.published = world.published || world.wakerStore
                step.wakerStore = false
                step.sleeper = 2
            }
            if step.sleeper == 2 { next.append(step) }
        case 2:  // looks again
            step.sleeperSawNothing = !world.published
            step.sleeper = 3
            next.append(step)
        default: break
        }
        return next
    }

    private static func loses(wakerFences: Bool, sleeper: Barrier) -> Bool {
        var seen: Set<World> = []
        var open = [World()]
        while let world = open.popLast() {
            guard seen.insert(world).inserted else { continue }
            let next = steps(world, wakerFences: wakerFences, sleeper: sleeper)
            if next.isEmpty, world.sleeperSawNothing, world.waitWord, !world.woken { return true }
            open += next
        }
        return false
    }

    @Test func fencesOnBothSidesLoseNothing() { #expect(!Self.loses(wakerFences: true, sleeper: .fence)) }

    @Test func aBarrierInAllProcessesNeedsNoFenceOfTheWaker() {
        #expect(!Self.loses(wakerFences: false, sleeper: .membarrier))
    }

    @Test func bothKindsTogetherLoseNothing() { #expect(!Self.loses(wakerFences: true, sleeper: .membarrier)) }

    @Test func theModelSeesTheLossWhereABarrierIsMissing() {
        #expect(Self.loses(wakerFences: false, sleeper: .fence))
        #expect(Self.loses(wakerFences: true, sleeper: .none))
        #expect(Self.loses(wakerFences: false, sleeper: .none))
    }
}
