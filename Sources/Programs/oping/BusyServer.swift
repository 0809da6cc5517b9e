// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import CFlowControl
import CLinux
import COuroboros
import Ping
import Platform
import ToolSupport
import Vocabulary

/// Answers one flow at a time and never sleeps while it has one: for the shortest times.
enum BusyServer {
    static func run(_ options: PingOptions) -> Int32 {
        var acceptor = Acceptor()
        while cl_stop_signal() == 0 {
            guard let flow = acceptor.next() else { continue }
            serve(flow, options)
            _ = flow_dealloc(flow)  // of no more use, whatever this says
        }
        return 0
    }

    private static func serve(_ flow: Int32, _ options: PingOptions) {
        _ = cf_set_flags(flow, UInt32(FLOWFRDWR | FLOWFRNOPART | FLOWFNONBLOCK))
        var buffer = [UInt8](repeating: 0, count: EchoPacket.sizes.upperBound)
        var heard = Clock.now()
        while cl_stop_signal() == 0 {
            let count = flow_read(flow, &buffer, buffer.count)
            switch count {
            case -Int(EAGAIN), -Int(ETIMEDOUT), -Int(EINTR):
                guard Clock.now().since(heard) >= TimeSpan(seconds: 10) else { continue }
                return Output.standard.line("Flow \(flow) timed out.")
            case -Int(EMSGSIZE): Output.standard.line("Invalid message on fd \(flow).")
            case ..<0: return Output.standard.line("Flow \(flow) closed.")
            default:
                EchoReply.send(&buffer, count, on: flow, options)
                heard = Clock.now()
            }
        }
    }
}
