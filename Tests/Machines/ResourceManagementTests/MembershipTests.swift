// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import LocalProtocol
import Testing
import Vocabulary

@testable import ResourceManagement

/// Which attached processes a name stands for, after any order of bindings, attachments and their ends.
@Suite struct MembershipTests {
    private static let names = ["a", "b", "c"].map(service)
    private static let files = ["/bin/x", "/opt/x", "x", "/bin/y", "y"].map { Array($0.utf8) }
    private static let users = [UserID(0), UserID(1), UserID(2)]

    /// What is bound and attached, in the plainest form.
    private struct Model {
        var pids: Set<[Int32]> = []
        var programs: [(key: ProgramKey, name: Int)] = []
        var attached: [Int32: (program: [UInt8], user: UserID, start: ProgramKey?)] = [:]

        func serves(_ process: Int32, _ name: Int) -> Bool {
            guard let member = attached[process] else { return false }
            if pids.contains([process, Int32(name)]) { return true }
            return programs.contains { bound in
                bound.name == name
                    && (member.start == bound.key
                        || Programs.serves(bound.key, program: member.program, user: member.user))
            }
        }
    }

    @Test(arguments: 0..<20)
    func everyOrderOfBindingsAndAttachmentsGivesTheSameMembers(seed: UInt64) {
        var random = RandomSource(seed: seed)
        func pick(_ count: Int) -> Int { Int(random.next() % UInt64(count)) }
        var naming = Naming(PlainHashing())
        var model = Model()
        for name in MembershipTests.names {
            _ = naming.create(NameSettings(name: name, balancing: .spillover), owner: UserID(0), isExempt: true)
        }
        for step in 0..<300 {
            let number = Int32(2 + pick(6))
            let process = ProcessID(number)
            let name = pick(3)
            let key = ProgramKey(path: MembershipTests.files[pick(5)], user: MembershipTests.users[pick(3)])
            switch pick(7) {
            case 0 where model.attached[number] == nil:
                let program = MembershipTests.files[pick(5)]
                let user = MembershipTests.users[pick(3)]
                let start = pick(3) == 0 ? key : nil
                model.attached[number] = (program, user, start)
                _ = naming.attach(process, program: program, user: user, startedFor: start)
            case 1:
                model.attached[number] = nil
                _ = naming.detach(process)
            case 2:
                let isNew = model.pids.insert([number, Int32(name)]).inserted
                let isBound = naming.bind(process, to: MembershipTests.names[name])
                #expect(isBound == isNew)
            case 3:
                model.pids.remove([number, Int32(name)])
                _ = naming.unbind(process, from: MembershipTests.names[name])
            case 4:
                let isBound = naming.bind(key, to: MembershipTests.names[name], nil)
                #expect(isBound != model.programs.contains { $0.key == key && $0.name == name })
                if isBound { model.programs.append((key, name)) }
            case 5:
                model.programs.removeAll { $0.key == key && $0.name == name }
                naming.unbind(key, from: MembershipTests.names[name])
            default:
                guard let member = model.attached[number], member.start == nil else { continue }
                model.attached[number]?.start = key
                _ = naming.started(process, for: key)
            }
            for (index, name) in MembershipTests.names.enumerated() {
                let expected = Set(model.attached.keys.filter { model.serves($0, index) }.map { ProcessID($0) })
                #expect(naming[name]?.processes == expected, "step \(step)")
                for process in 2..<Int32(8) {
                    let serves = naming.names(servedBy: ProcessID(process)).contains(name)
                    #expect(serves == expected.contains(ProcessID(process)), "step \(step)")
                }
            }
        }
    }
}
