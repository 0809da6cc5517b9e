// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// Every bound of the system: unit, reason, and what happens when it is reached. spec: c-api §5, irmd §13
public enum Limits {
    /// A packet that Ethernet carries whole below IPv6, UDP and an endpoint id: 1,500 - 40 - 8 - 4.
    package static let uncutBytes = 1_448
    /// Bytes of a name. `NAME_SIZE`; longer names are refused with EINVAL.
    public static let nameBytes = 255
    /// Bytes of a path in a name's settings. `NAME_PATH_SIZE`.
    public static let pathBytes = 511
    /// Bytes of the path of a process's program (`PATH_MAX`); the rest is cut.
    public static let programBytes = 4_096
    /// Bytes of the address of another host in a list or an offer, as people write it; the rest is cut.
    public static let hostBytes = 127
    /// Bytes of the base name of a program in a list; the rest is cut.
    public static let programNameBytes = 255
    /// The first flow descriptor; smaller ones can never be taken for those of the kernel's standard streams.
    public static let firstDescriptor = 64
    /// One more than the last flow descriptor. Beyond: EBADF.
    public static let descriptors = 65_536
    /// Flow sets of one process. Beyond: `fset_create` returns NULL.
    public static let flowSets = 1_024
    /// Acceptors of one process, each of which has a connection to irmd. Beyond: `facceptor_create` returns NULL.
    public static let flowAcceptors = 1_024
    /// Flows between two processes: the slots of their link. Beyond: the allocation fails with ENFILE.
    public static let slotsPerLink = 65_536
    /// Flows of this host: their ids have 17 bits for the number. A user gets no more than are left for all others.
    package static let flows = 131_071
    /// Links of this host. Each takes one of the 65,530 mappings that Linux allows a process. A user gets no more than are
    /// left for all others. Beyond: the allocation fails.
    package static let links = 32_768
    /// Links of one process that have no flow just now, and are kept for the next flow to the same process.
    package static let idleLinks = 256
    /// Flows of one user. Beyond: ENFILE. Root is exempt.
    public static let flowsPerUser = 65_535
    /// Connections to irmd of one user, so that a flood leaves room for others. Root is exempt.
    public static let connectionsPerUser = 16_384
    /// Allocations of one name that irmd refuses or moves in one turn, if something concerns all of them, and flows and links
    /// that it takes back from dead processes: about 2 ms. The others follow in the next turns.
    package static let errandsPerTurn = 256
    /// Of them for one errand before the next has its turn.
    package static let stepsPerErrand = 64
    /// Connections that irmd accepts before it looks at the others again.
    package static let connectionsPerTurn = 64
    /// Files of programs that irmd looks at at one time, each on a thread; of one user no more than are free. Beyond: EBUSY.
    package static let programInquiries = 64
    /// Users whose descriptors irmd closes at one time, each on a thread. More wait; kernels since 6.16 need none.
    package static let closingThreads = 32
    /// Descriptors of one user that are not closed yet. Beyond: the user's connections are refused.
    package static let unclosedDescriptors = 1_024
    /// Address space of one direction of a flow, in bytes; a power of two, because positions are masked, and enough for the
    /// longest message. Sparse.
    public static let ringBytes = 32 << 20
    /// What of it all messages use that are not longer. No queue holds more.
    public static let everydayRingBytes = 4 << 20
    /// Unread bytes in one direction of a flow before its writer waits (back-pressure).
    public static let queueBytes = 1 << 20
    /// A queue never gets less than this, so that a flow is never useless.
    public static let leastQueueBytes: UInt64 = 4_096
    /// Of what is left of a user's queues when they become scarce, each direction of a new flow gets this part.
    public static let queueShares: UInt64 = 16_384
    /// How many times as much may be unread of what comes from another host: its sender is not held back, so a reader
    /// that does not run for some milliseconds loses what does not fit.
    public static let queuesFromNetwork = 3
    /// Bytes that wait in all flows of a layer together for being sent, while that leaves each flow `leastReadyBytes`.
    /// Beyond: their writers wait [1,000 flows at full rate: 1.5 × the packets of 1 MiB for each].
    package static let readyBytes: UInt64 = 4 << 20
    /// A few packets, so that each turn of a flow is worth it.
    package static let leastReadyBytes: UInt64 = 8_192
    /// The longest message of a flow that is inside the host or has FRCP.
    public static let messageBytes = 16 << 20
    /// Bytes of one message of the local protocol. Longer ones are not sent, and end the connection that sends them.
    public static let localMessageBytes = 16_384
    /// Entries of a list in one message; longer lists come in pages.
    public static let listPage = 24
    /// Descriptors that were sent to a process with offers that it has neither taken nor refused. Beyond: further offers wait.
    public static let undeliveredDescriptors = 16
    /// Messages waiting for a connection or an IPCP that does not read: as many as there can be flows, because a
    /// process can lose all of its own at once. Beyond: the connection is dropped, the IPCP ended.
    public static let queuedMessages = 131_072
    /// Management requests that an IPCP has not answered. Beyond: ENFILE.
    public static let ipcpRequests = 1_024
    /// Requests to show a flow that wait for its processes; of one user no more than are free. Beyond: ENFILE.
    package static let inspections = 1_024
    /// Questions about flows that a process has not answered, also those that nobody waits for any more. Beyond: the process
    /// is not asked, and counts as one that does not answer.
    package static let unansweredQuestions = 64
    /// Names, each with its bindings, that irmd keeps. Beyond: ENFILE.
    public static let names = 65_536
    /// IPC processes that irmd keeps. Beyond: ENFILE.
    public static let ipcps = 1_024
    /// Bindings of one name, and names of one program or process. Beyond: ENFILE.
    public static let bindings = 65_536
    /// Bindings of all names; of the names of one user no more than are free. Beyond: ENFILE.
    package static let allBindings = 2 * bindings
    /// Registrations in one `irm name register`. spec: irm-cli §3
    public static let registrationsPerCommand = 128
    /// Servers that may refuse a flow for want of memory or descriptors before its client is told, with EIPCP.
    public static let acceptorRefusals = 8
    /// Arguments of an auto-started program.
    public static let arguments = 256
    /// Bytes of the arguments of an auto-started program together, so that they fit one message.
    public static let argumentBytes = 8_192

    /// Flows of one UDP layer, numbered by 16 bits; a user, if not root, has no more than are free, and of those that other
    /// hosts asked for no network more than it leaves to others. Beyond: ENFILE.
    package static let datagramFlows = 65_535
    /// Requests of other hosts that irmd has not answered; of one network, and to one name, no more than are free, and of
    /// one address half as many. Beyond: they are dropped, and come again.
    package static let arrivedRequests = 1_024
    /// Requests of other hosts that wait for the servers of names that were told to wait; for one name no more than are
    /// free, and of one network half as many. Beyond: they are refused at once.
    package static let waitingArrivals = arrivedRequests / 4
    /// Requests of other hosts that were accepted, and as many that were refused, whose answers are remembered. Beyond:
    /// the oldest is forgotten, and its repetition is a new request.
    package static let answeredRequests = 16_384
    /// Bytes of the answer to the request of another host, which may not be who it says it is. A longer one is not sent,
    /// and the request refused. spec: udp-layer §3
    package static let answerBytes = 2_048
    /// How many times as long as the request an answer may be, in tenths: signed answers of the prototype are 3.6 times.
    package static let answerGrowthTenths = 36
    /// Other hosts in the status of a layer, so that it fits one message.
    package static let listedPeers = 64
    /// Requests for authentication of other hosts that are remembered, so that none is answered twice: those of 20 s at
    /// more than 10,000 a second. Beyond: the oldest is forgotten, and what was sent before it is refused with ENFILE.
    package static let seenRequests = 262_144
    /// How old a request for authentication may be. spec: oap §2
    package static let authenticationAge = TimeSpan(seconds: 20)
    /// How far in the future it may have been sent: clocks differ.
    package static let authenticationLead = TimeSpan(milliseconds: 100)
    /// Mistakes of a file that the log names: by then somebody looks at the file itself.
    package static let reportedMistakes = 16
    /// Bytes of a wrong word that the log quotes.
    package static let reportedBytes = 64
    /// How often at once the log is told that the hosts file has changed, and after which time once more. In between the last
    /// change waits.
    package static let hostsNewsAtOnce = 4
    package static let hostsNewsInterval = TimeSpan(seconds: 60)
    /// Bytes of a hosts file, or of a key. A longer one is not read: a name for each of `names` fits.
    package static let namedFileBytes = 16 << 20
    /// Answers that a directory remembers, good and bad. Beyond: all that have expired are forgotten, or else all.
    package static let rememberedNames = 65_536
    /// Names that a directory asks for at one time, and askers of them; of one user no more than are free. Beyond: the
    /// question fails with EBUSY. No more than irmd asks.
    package static let questions = ipcpRequests
    /// Names in one DNS update, so that it fits a message of DNS over TCP (64 KiB) with up to 60 bytes for each. More need
    /// more updates.
    package static let namesPerUpdate = 1_000
    /// Sums of names in one line of the log, so that no system log cuts it.
    package static let sumsPerLine = 16
    /// Threads that wait for answers of the DNS server, and as many for those of the system; for one user no more than are
    /// free. Beyond: questions wait.
    package static let resolvers = 8
    /// Of what is remembered, that names are unknown. Beyond: all of these are forgotten.
    package static let unknownNames = 16_384
    /// Replies of an IPCP that irmd has not taken; while there are more, requests of other hosts are refused with EBUSY.
    package static let unsentReplies = 1_024

    /// Lines of a daemon's log that are not written yet, and their bytes. Beyond: lines are lost, and counted.
    package static let logLines = 8_192
    package static let logBytes = 1 << 20
    /// Bytes of a line: what a pipe takes in one piece (`PIPE_BUF`). The rest is cut.
    package static let logLineBytes = 4_096
    /// How long a daemon that ends waits for its log: nobody may read it.
    package static let logPatience = TimeSpan(milliseconds: 400)
    /// Lines of one kind that one user can cause at once, and a second. Beyond: they are counted.
    package static let logLinesAtOnce = 100
    package static let logLinesPerSecond = 10
    /// Lines that other hosts of one network can cause at once, and a second; all together those of one user. Beyond: they
    /// are counted.
    package static let hostLinesAtOnce = 20
    package static let hostLinesPerSecond = 1
    /// How often a log with as many sources as there can be looks which of them are quiet.
    package static let logSourcesInterval = TimeSpan(seconds: 1)
    /// Users and kinds of lines that are told apart. Beyond: no line of further ones, until others are quiet.
    package static let logSources = 4_096
    /// Bytes of a line that an auto-started program writes. The rest is a line of its own.
    package static let outputLineBytes = 1_024
    /// Bytes that are read at a time of what a program writes, so that others get their turn.
    package static let outputBytes = 16_384
    /// Pipes of auto-started programs, also of those that ended and left them to others. Beyond: what they write is lost.
    package static let outputs = 1_024
    /// How often irmd looks whether its runtime directory is in order, when the kernel tells it of changes, and when not.
    package static let siteInterval = TimeSpan(seconds: 10)
    package static let siteIntervalUnwatched = TimeSpan(seconds: 1)
    /// How often irmd looks whether processes have died where a sandbox refuses `pidfd_open`.
    package static let processInterval = TimeSpan(seconds: 1)
    /// A child shall have begun its program within this time: its file or directory may be on a disk that does not answer.
    package static let executionTimeout = TimeSpan(seconds: 10)

    /// An allocation without a timeout of its own. spec: c-api §5.2
    package static let allocationTimeout = TimeSpan(seconds: 20)
    /// How much longer than irmd's deadline a client waits for irmd's verdict: long enough for an irmd that is busy, and
    /// not so long that a limit of a caller means nothing when irmd does not answer.
    package static let verdictGuard = TimeSpan(milliseconds: 100)
    /// A connection to irmd shall begin with a greeting within this time, or is dropped: the library greets at once.
    package static let greetingTimeout = TimeSpan(seconds: 10)
    /// How long irmd waits before it accepts connections again when there are no descriptors and nobody leaves.
    package static let acceptPause = TimeSpan(milliseconds: 100)
    /// How often it says so.
    package static let complaintInterval = TimeSpan(seconds: 60)
    /// A program that was started for a name shall accept within this time.
    package static let autoStartTimeout = TimeSpan(seconds: 10)
    /// An IPCP shall say that it is initialised within this time.
    package static let bootTimeout = TimeSpan(seconds: 10)
    /// An IPCP shall answer a management request within this time. spec: irmd §7
    package static let ipcpRequestTimeout = TimeSpan(seconds: 20)
    /// A management command ends after this long without a verdict, so that it never hangs on an irmd that is stopped:
    /// longer than anything irmd itself waits for.
    package static let managementTimeout = TimeSpan(seconds: 25)
    /// A process shall say what it knows of a flow within this time, or `irm flow show` shows the flow without.
    package static let inspectionTimeout = TimeSpan(seconds: 1)
    /// irmd's patience with its children when it stops, before SIGKILL.
    package static let shutdownPatience = TimeSpan(seconds: 5)

    /// Bytes of a UDP datagram without its headers: the length field of IPv4.
    package static let datagramBytes = 65_507
    /// Datagrams that are sent at once: five messages of the length that the kernel splits. More waits in its flow.
    package static let datagramsPerBatch = 256
    /// Messages that are received at once if they are short. More waits in the socket.
    package static let datagramsPerReception = 64
    /// And if they are long, each of up to 64 KiB of datagrams that the kernel has joined: what stays in the cache until it
    /// is copied.
    package static let joinedMessagesPerBatch = 8
    /// Bytes of what came, with what the kernel needs to keep it, that wait in a UDP socket: 20 ms at 3 Gbit/s, which is
    /// longer than the IPCP waits for a processor [1,000 flows: the slowest 0.96 of the fastest; 0.84 with 4 MiB]. Beyond,
    /// the kernel drops.
    package static let arrivingBufferBytes = 16 << 20
    /// And of what goes. Beyond, it waits in its flow, where it is not yet too late to send something else first.
    package static let departingBufferBytes = 4 << 20
    /// Destinations of which a UDP socket remembers that the kernel does not split for them. More take turns.
    package static let splitRefusals = 64
    /// So long it remembers.
    package static let splitRefusalSpan = TimeSpan(seconds: 10)
    /// Before sending is tried again when the kernel has no buffers, because nothing tells when it has.
    package static let noBuffersPause = TimeSpan(milliseconds: 1)
    /// A DNS server shall answer within this time, all tries together.
    package static let serverTimeout = TimeSpan(seconds: 2)
    /// `nsupdate` shall be done within this time, or is killed.
    package static let updateTimeout = TimeSpan(seconds: 10)
    /// An IPCP that ends has withdrawn its names from a DNS server within this time, or they stay: less than
    /// `shutdownPatience`.
    package static let withdrawalTimeout = TimeSpan(milliseconds: 1_500)
    /// How much longer it waits until that is in the log.
    package static let withdrawalGuard = TimeSpan(milliseconds: 400)
    /// Who asks a directory is answered within this time, though the search may go on: long enough for a DNS server that
    /// does not answer and a resolver that does.
    package static let questionTimeout = TimeSpan(seconds: 5)
    /// What the resolver of the system says is believed for this long, because it does not say for how long.
    package static let systemValidity = TimeSpan(seconds: 60)
    /// That a name is unknown, or that a DNS server does not answer, is believed for this long.
    package static let unknownValidity = TimeSpan(seconds: 5)
    /// Bounds for what a DNS server says: at least so that the packets of one exchange do not ask again each, at most a
    /// day.
    package static let leastValidity = TimeSpan(seconds: 1)
    package static let longestValidity = TimeSpan(seconds: 86_400)
    /// Key and hosts file of a layer have been read within this time, or there is no layer: less than
    /// `ipcpRequestTimeout`.
    package static let namedFilesTimeout = TimeSpan(seconds: 10)
    /// How often to look whether the hosts file has changed.
    package static let hostsInterval = TimeSpan(seconds: 1)
    /// A flow request to a host that is known to be one of this system is sent again after this time, then after twice as
    /// long, and so on: such a host knows it again. spec: unicast-rules
    package static let requestInterval = TimeSpan(milliseconds: 250)
    /// Another host is sent another request after this time, then after twice as long, and so on: if it is of the prototype,
    /// each takes a server of its own.
    package static let strangerInterval = TimeSpan(seconds: 3)
    /// How long a host is known to be one of this system after it has shown it.
    package static let knownHostMemory = TimeSpan(seconds: 3_600)
    /// Hosts that are known so; of one address no more than it leaves to others. Beyond: a host stays a stranger.
    package static let knownHosts = 4_096
    /// That a flow has ended is said again after this time, and after twice as long: packets are lost.
    package static let goodbyeInterval = TimeSpan(milliseconds: 250)
    /// How often in all.
    package static let goodbyes = 3
    /// Ends of flows that are to be said again. Beyond: they are said once.
    package static let repeatedGoodbyes = 4_096
    /// How long a refusal that may be for a repetition waits for the answer to the first request: some round trips.
    package static let doubtTime = TimeSpan(milliseconds: 200)
    /// irmd shall answer the request of another host within this time: longer than irmd waits for anything.
    package static let arrivalPatience = TimeSpan(seconds: 60)
    /// How long a requester may send a request again: longer than most callers wait.
    package static let answerMemory = TimeSpan(seconds: 30)
    /// How much longer, so that many are forgotten together.
    package static let answerMemorySlack = TimeSpan(seconds: 1)
}
