// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import COuroboros
import LocalProtocol
import ManagementClient
import Vocabulary

// The functions of irm.h that bind programs and processes to names.

private let pathLimit = 4_095

/// `irm_bind_program(3)`.
@c @implementation
public func irm_bind_program(
    _ prog: UnsafePointer<CChar>!, _ name: UnsafePointer<CChar>!, _ opts: UInt16, _ argc: Int32,
    _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>!
) -> Int32 {
    guard let program = text(prog, limit: pathLimit), let name = text(name).flatMap(ServiceName.init),
        let arguments = strings(argc, argv)
    else { return Call.invalid }
    // Before irmd is asked: a program that is not there is that also when irmd is not there.
    let path: [UInt8]
    do throws(ManagementError) {
        path = try ProgramPath.resolve(program, relative: .refused)
    } catch {
        return Call.failed(error, specific: [.noEntry])
    }
    return Call.perform { client throws(ManagementError) in
        _ = try client.perform(
            .bindProgram(
                program: path, name, autoStart: opts & UInt16(BIND_AUTO) != 0, arguments: arguments,
                directory: ProgramPath.currentDirectory()))
        return 0
    }
}

/// `irm_unbind_program(3)`.
@c @implementation
public func irm_unbind_program(_ prog: UnsafePointer<CChar>!, _ name: UnsafePointer<CChar>!) -> Int32 {
    guard let program = text(prog, limit: pathLimit), let name = optionalName(name) else { return Call.invalid }
    return Call.perform { client throws(ManagementError) in
        try client.unbind(program: program, name)
        return 0
    }
}

/// `irm_bind_process(3)`.
@c @implementation
public func irm_bind_process(_ pid: pid_t, _ name: UnsafePointer<CChar>!) -> Int32 {
    guard pid > 0, let name = text(name).flatMap(ServiceName.init) else { return Call.invalid }
    return Call.perform { client throws(ManagementError) in
        _ = try client.perform(.bindProcess(ProcessID(pid), name))
        return 0
    }
}

/// `irm_unbind_process(3)`.
@c @implementation
public func irm_unbind_process(_ pid: pid_t, _ name: UnsafePointer<CChar>!) -> Int32 {
    guard pid > 0, let name = optionalName(name) else { return Call.invalid }
    return Call.perform { client throws(ManagementError) in
        _ = try client.perform(.unbindProcess(ProcessID(pid), name))
        return 0
    }
}

/// `.some(nil)` for NULL, which means all names; nil for what cannot be a name.
private func optionalName(_ pointer: UnsafePointer<CChar>?) -> ServiceName?? {
    guard let pointer else { return .some(nil) }
    guard let name = text(pointer).flatMap(ServiceName.init) else { return nil }
    return name
}

/// Nil if there are more than irmd keeps, or if they are not there.
private func strings(
    _ count: Int32, _ vector: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
) -> [[UInt8]]? {
    guard count > 0 else { return count == 0 ? [] : nil }
    guard let vector, count <= Limits.arguments else { return nil }
    var list: [[UInt8]] = []
    for index in 0..<Int(count) {
        guard let argument = text(vector[index], limit: Limits.argumentBytes) else { return nil }
        list.append(argument)
    }
    return list.reduce(0) { $0 + $1.count } <= Limits.argumentBytes ? list : nil
}
