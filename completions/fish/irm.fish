# fish completion for irm(8). Says nothing if irmd does not answer.

# The values of a member in one of irm's lists.
function __irm_values
    timeout 1 irm $argv[1] list --json 2>/dev/null |
        grep -oE "\"$argv[2]\" *: *\"[^\"\\\\ ]+\"" | sed -E 's/^[^:]*: *"(.*)"$/\1/' | sort -u
end

# The word among the others that the first stands for, or the first itself.
function __irm_expand
    set -l matches
    for word in $argv[2..]
        string match -q -- "$argv[1]*" $word; and set -a matches $word
    end
    test (count $matches) -eq 1; and echo $matches; or echo -- $argv[1]
end

function __irm_words
    printf '%s\n' $argv
end

function __irm_complete
    set -l words (commandline -opc)
    set -l count (count $words)
    set -l objects ipcp name bind unbind flow status help
    test $count -eq 1; and __irm_words $objects; and return
    set -l object (__irm_expand $words[2] $objects)
    test "$object" = u; and set object unbind
    set -l verbs
    switch $object
        case ipcp
            set verbs create destroy bootstrap enroll connect disconnect list help
        case name
            set verbs create destroy register unregister list help
        case bind unbind
            set verbs program process ipcp help
        case flow
            set verbs list help
        case status
            set verbs --json help
    end
    test $count -eq 2; and __irm_words $verbs; and return
    set -l kind $object/(__irm_expand $words[3] $verbs)
    switch $kind
        case ipcp/c
            set kind ipcp/create
        case ipcp/d
            set kind ipcp/destroy
        case bind/p bind/pr unbind/p unbind/pr
            set kind $object/program
    end

    if test $kind = bind/program; and contains -- -- $words
        __fish_complete_path (commandline -ct)
        return
    end
    if test $count -eq 3
        switch $kind
            case name/destroy name/register name/unregister
                __irm_values name name
                return
            case bind/ipcp unbind/ipcp
                __irm_values ipcp name
                return
            case bind/process unbind/process
                __fish_complete_pids
                return
            case bind/program unbind/program
                complete -C(commandline -ct)
                return
        end
    end
    switch $kind:$words[-1]
        case ipcp/create:name '*:addr' '*:eid' '*:ttl' '*:ip' '*:port' '*:dns' '*:ethertype' '*:dht_*' '*:ls_t_*'
        case 'ipcp/*:name' 'name/*:ipcp'
            __irm_values ipcp name
        case '*bind/*:name' '*/list:name' '*:dst'
            __irm_values name name
        case '*:layer'
            __irm_values ipcp layer
        case ipcp/enroll:type
            __irm_words unicast broadcast
        case '*:type'
            __irm_words local unicast broadcast eth-llc eth-dix udp4 udp6
        case '*:hash'
            __irm_words SHA3_224 SHA3_256 SHA3_384 SHA3_512
        case '*:routing'
            __irm_words link_state lfa ecmp
        case '*:congestion'
            __irm_words none mb-ecn
        case '*:addr_auth'
            __irm_words flat
        case '*:directory'
            __irm_words DHT
        case '*:dev'
            command ls /sys/class/net 2>/dev/null
        case '*:component'
            __irm_words mgmt dt
        case '*:qos'
            __irm_words raw best video voice data
        case '*:lb'
            __irm_words round-robin spillover
        case 'name/create:*path' ipcp/bootstrap:hosts ipcp/bootstrap:key
            __fish_complete_path (commandline -ct)
        case 'ipcp/create:*'
            __irm_words name type
        case 'ipcp/destroy:*'
            __irm_words name
        case 'ipcp/bootstrap:*'
            __irm_words name layer type hash autobind addr eid ttl addr_auth directory dht_alpha dht_k \
                dht_t_expire dht_t_refresh dht_t_replicate routing ls_t_recalc ls_t_update ls_t_timeo \
                congestion ip port dns key hosts dev ethertype
        case 'ipcp/enroll:*'
            __irm_words name layer dst type autobind
        case 'ipcp/connect:*'
            __irm_words name dst component qos
        case 'ipcp/disconnect:*'
            __irm_words name dst component
        case 'ipcp/list:*'
            __irm_words name layer type --json
        case 'name/create:*'
            __irm_words lb sencpath skeypath scrtpath cencpath ckeypath ccrtpath
        case 'name/register:*' 'name/unregister:*'
            __irm_words ipcp layer
        case 'name/list:*' 'flow/list:*'
            __irm_words name --json
        case 'bind/program:*'
            __irm_words name auto --
        case '*bind/*:*'
            __irm_words name
    end
end

complete -c irm -f -a '(__irm_complete)'
