// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CLinux
import FlowProtocol
import Vocabulary

/// Room at an end with FRCP: it comes with acknowledgements, which any call takes, and the service thread. See `RoomWait`.
extension LayerMemory {
    /// With the lock held.
    func room(for bytes: UInt64) -> Room {
        guard bytes != RoomWait.nothing else { return .none }
        return withMachine { machine, sent, _ in
            // What cannot be written for other reasons is for the next call to say.
            guard machine.hasPlace(Int(bytes), bound: LayerMemory.sentBound, sent) else { return .none }
            return machine.waiting(sent) <= LayerMemory.sentBound / 2 ? .plenty : .some
        }
    }
}

extension FlowPointer {
    /// With the process lock held.
    func lookForLayerRoom() -> Room {
        guard let (layer, end) = lockLayer() else { return .none }
        defer { cl_unlock(end.readLock) }
        return layer.room(for: pointee.room.refused)
    }

    /// With the lock held, at the end of each call: whether the flow's set is to look, because there is room now.
    @inline(__always) func hasRoomNews(_ layer: LayerMemory) -> Bool {
        isRoomAwaited && isRoomNews(layer)
    }

    @inline(never) private func isRoomNews(_ layer: LayerMemory) -> Bool {
        switch layer.room(for: pointee.room.refused) {
        case .none: return false
        case .some: return cl_load32_relaxed(&pointee.room.isTimed) == 0
        case .plenty: return true
        }
    }
}

extension FlowPointer {
    /// As `waitOnLayer`, for room for a message of so many bytes. If the message is refused, its set tells when it fits.
    func waitForLayerRoom(
        _ bytes: Int, _ layer: LayerMemory, _ end: FlowEnd, _ descriptor: Int32, _ wait: inout Wait,
        _ timeout: TimeSpan?, now: UInt64
    ) throws(Failure) {
        // What was acknowledged meanwhile makes room.
        let before = layer.state.pointee.machine.acknowledged
        turnLayer(layer, end, now: now)
        guard layer.state.pointee.machine.acknowledged == before else {
            return leaveLayer(layer, end, descriptor, now: now)
        }
        do throws(Failure) {
            try waitOnLayer(layer, end, descriptor, .send, &wait, timeout, now: now)
        } catch {
            if error == .wouldBlock || error == .timedOut { noteLayerRefusal(bytes) }
            throw error
        }
    }
}
