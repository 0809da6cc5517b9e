// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The other usage texts, word for word those of the prototype. spec: irm-cli §6

extension Usage {
    static let irmText = """
        Usage: irm [OPERATION]

        where OPERATION in { ipcp bind unbind name }

        """

    static let nameText = """
        Usage: irm name [OPERATION]

        where OPERATION in {create destroy
                            register unregister
                            list
                            help}

        """

    static let bindText = """
        Usage: irm bind [OPERATION]

        where OPERATION in {program process ipcp help}

        """

    static let unbindText = """
        Usage: irm unbind [OPERATION]

        where OPERATION in {program process ipcp help}

        """

    static let createNameText = """
        Usage: irm name create
                        <name>. max 255 chars.
                        [lb LB_POLICY], default: round-robin
                        [sencpath <path>, default: <security_dir>/server/<name>/enc.conf]
                        [scrtpath <path>, default: <security_dir>/server/<name>/crt.pem]
                        [skeypath <path>, default: <security_dir>/server/<name>/key.pem]
                        [cencpath <path>, default: <security_dir>/client/<name>/enc.conf]
                        [ccrtpath <path>, default: <security_dir>/client/<name>/crt.pem]
                        [ckeypath <path>, default: <security_dir>/client/<name>/key.pem]

        where LB_POLICY in {round-robin spillover}

        """

    static let destroyNameText = """
        Usage: irm name destroy <name>

        """

    static let registerText = """
        Usage: irm name register <name>
                   ipcp <ipcp to register with>
                   [ipcp <ipcp to register with>]
                   [... (maximum 128 ipcps)]
                   layer <layer to register with>
                   [layer <layer to register with>]
                   [... (maximum 128 layers)]

        """

    static let unregisterText = """
        Usage: irm name unregister <name>
                   ipcp <ipcp to register with>
                   [ipcp <ipcp to register with>]
                   [... (maximum 128 ipcps)]
                   layer <layer to unregister from>
                   [layer <layer to unregister from>]
                   [... (maximum 128 layers)]

        """

    static let bindProgramText = """
        Usage: irm bind program <program>
                   name <name>
                   [auto] (instantiate program if not running)
                   [-- <application arguments>]

        """

    static let bindProcessText = """
        Usage: irm bind process <pid> name <name>

        """

    static let bindIPCPText = """
        Usage: irm bind ipcp <name> name <name>

        """

    static let unbindProgramText = """
        Usage: irm unbind program <program>
                          [name <name> (default: unbind all names)]

        """

    static let unbindProcessText = """
        Usage: irm unbind process <pid>
                          [name <name> (default: unbind all names)]

        """

    static let unbindIPCPText = """
        Usage: irm unbind ipcp <name>
                          [name <name> (default: remove all IPCP info)]

        """
}
