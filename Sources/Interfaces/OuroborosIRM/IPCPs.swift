// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

import COuroboros
import LocalProtocol
import ManagementClient
import Vocabulary

// The IPCP functions of irm.h, which documents them. The compiler compares each with its declaration there.

/// `irm_create_ipcp(3)`.
@c @implementation
public func irm_create_ipcp(_ name: UnsafePointer<CChar>!, _ type: ipcp_type) -> pid_t {
    guard let name = text(name).flatMap(IPCPName.init) else { return Call.invalid }
    guard let type = IPCPType(rawValue: type.rawValue) else { return Call.failed(.ipcpType) }
    // 0 and not the pid, as programs expect it. spec: c-api §9
    return Call.perform(specific: [.ipcpType]) { client throws(ManagementError) in
        _ = try client.create(name, type)
        return 0
    }
}

/// `irm_destroy_ipcp(3)`.
@c @implementation
public func irm_destroy_ipcp(_ pid: pid_t) -> Int32 {
    guard pid > 0 else { return Call.invalid }
    return Call.perform { client throws(ManagementError) in
        _ = try client.perform(.destroyIPCP(ProcessID(pid)))
        return 0
    }
}

/// `irm_list_ipcps(3)`.
@c @implementation
public func irm_list_ipcps(_ ipcps: UnsafeMutablePointer<UnsafeMutablePointer<ipcp_list_info>?>!) -> Int {
    guard let ipcps else { return Int(Call.invalid) }
    return Call.perform { client throws(ManagementError) in
        export(try client.ipcps(), to: ipcps) { entry, place in
            place.pointee.pid = entry.process.rawValue
            place.pointee.type = ipcp_type(entry.type.rawValue)
            store(entry.name.bytes, in: &place.pointee.name)
            store(entry.layer?.bytes ?? Array("Not enrolled.".utf8), in: &place.pointee.layer)
        }
    }
}

/// `irm_enroll_ipcp(3)`.
@c @implementation
public func irm_enroll_ipcp(_ pid: pid_t, _ dst: UnsafePointer<CChar>!) -> Int32 {
    guard pid > 0, let destination = text(dst).flatMap(ServiceName.init) else { return Call.invalid }
    return Call.perform { client throws(ManagementError) in
        _ = try client.perform(.enrollIPCP(ProcessID(pid), destination: destination))
        return 0
    }
}

/// `irm_bootstrap_ipcp(3)`.
@c @implementation
public func irm_bootstrap_ipcp(_ pid: pid_t, _ conf: UnsafePointer<ipcp_config>!) -> Int32 {
    guard pid > 0, let conf else { return Call.invalid }
    let configuration: LayerConfiguration
    do throws(LayerFault) {
        guard let whole = try LayerConfiguration(conf.pointee) else { return Call.invalid }
        configuration = whole
    } catch {
        return Call.failed(.invalid, error.sentence)
    }
    return Call.perform { client throws(ManagementError) in
        _ = try client.perform(.bootstrapIPCP(ProcessID(pid), configuration))
        return 0
    }
}

/// `irm_connect_ipcp(3)`: first the destination, then the component, whatever older headers say. spec: c-api §9
@c @implementation
public func irm_connect_ipcp(
    _ pid: pid_t, _ dst: UnsafePointer<CChar>!, _ component: UnsafePointer<CChar>!, _ qs: qosspec_t
) -> Int32 {
    guard pid > 0, let destination = text(dst).flatMap(ServiceName.init), let component = text(component) else {
        return Call.invalid
    }
    return Call.perform(specific: [.ipcp]) { client throws(ManagementError) in
        _ = try client.perform(
            .connectIPCP(ProcessID(pid), destination: destination, component: component, QualityOfService(qs)))
        return 0
    }
}

/// `irm_disconnect_ipcp(3)`.
@c @implementation
public func irm_disconnect_ipcp(
    _ pid: pid_t, _ dst: UnsafePointer<CChar>!, _ component: UnsafePointer<CChar>!
) -> Int32 {
    guard pid > 0, let destination = text(dst).flatMap(ServiceName.init), let component = text(component) else {
        return Call.invalid
    }
    return Call.perform(specific: [.ipcp]) { client throws(ManagementError) in
        _ = try client.perform(
            .disconnectIPCP(ProcessID(pid), destination: destination, component: component))
        return 0
    }
}
