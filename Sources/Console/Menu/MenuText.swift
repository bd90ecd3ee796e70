/// The console's menus and dialogues, in the language that `Dialogue` holds them in:
///
///     :PAGE TITLE   a menu or a dialogue begins
///     *PAGE LABEL   a menu's next entry leads to PAGE
///     'TEXT         says so; $0 to $9 are answers, here and everywhere
///     ?3 QUESTION   asks; without a default in [brackets], Enter goes back; ?3* shows stars for what is typed
///     !WORD TEXT    goes on only if WORD is typed
///     $ WORDS       runs a command: $f until a key is pressed, $q in silence unless it fails, $6 with answer 6 as its
///                   standard input; [ words ] are left out where an answer in them is empty, $*3 is several words
///     ~3 WORDS      answer 3 becomes what the command says, or with %NAME what the console knows
///     %NAME         has the console do it: see ConsoleSession
///     @3 LINE       only if there is an answer 3; @3f LINE: only if it begins with f; @3!f LINE: only if not
///     &             goes no further if what was run last failed
///     #LABEL        is where a
///     ^LABEL        goes back to if what was run last failed
///     >PAGE         goes on there
enum MenuText {
  static let all: StaticString = """
    :main Main menu
    *first First boot: names, network, clock, PIN, first account
    *status Status
    *accounts Accounts
    *mail Mail
    *network Network
    *selftest Self-test
    *journal Journal
    *backup Backup and restore
    *update Update, factory reset, restart, power off
    *shell Shell
    :welcome Welcome
    'This device was not set up yet. Some questions do that, in two minutes; each
    'can be answered again later, by 1 in the menu.
    ?0 Enter begins, m shows the menu [begin]
    @0b >first
    :first First boot
    'Enter takes what stands in [brackets]; a dot, or Ctrl-C, goes to the menu.
    ~1 %host
    ~2 %domains
    #names
    ?1 1/7 Name of this device, as the MX record has it [$1]
    ?2 2/7 Domains whose mail is taken here [$2]
    $ setup --host-name $1 --domain $2
    ^names
    #network
    'The network now:
    $ network show
    ?3 3/7 Network: k keep, d DHCP, f fixed addresses [k]
    @3d $ network dhcp
    @3f >firstfixed
    @3d $q network confirm
    >firstclock
    :firstfixed Fixed addresses
    #network
    ?3 IPv4 address with prefix, such as 192.0.2.10/24, - for none [-]
    ?4 IPv4 router, - for none [-]
    ?5 IPv6 address with prefix, or Enter for what the network says []
    ?6 IPv6 router, if it must be named []
    ?7 DNS servers [$4]
    $ network static [ --address $3 ] [ --gateway $4 ] [ --address $5 ] [ --gateway $6 ] [ --dns $7 ]
    ^network
    $q network confirm
    >firstclock
    :firstclock Clock
    #clock
    $ clock show
    ?3 4/7 Enter if that is right, or YYYY-MM-DD HH:MM []
    @3 $ clock set $3
    ^clock
    >firstpin
    :firstpin PIN
    '5/7 The PIN keeps others out of this console. Write it down where the device's
    'papers are: four characters or more.
    #pin
    %pin
    ^pin
    >firstaccount
    :firstaccount First account
    ~3 %account
    #account
    ?3 6/7 Name of the first account, Enter for none [$3]
    @3 ~4 account propose
    @3 ?4 Its password [$4]
    @3 $4 account add $3 --password-stdin
    ^account
    '7/7 Self-test
    $ self-test
    $q setup --done
    @3 $ account sheet $3
    @3 'Password           $4
    'Done. The menu has all else.
    :status Status
    $ status
    $ refusals
    ~1 %damage
    @1 ?2 Was the damage seen to? y, and it is not shown again [n]
    @2y $q status --seen
    :accounts Accounts
    *acclist List
    *accadd Add
    *accpass New password
    *accquota Quota
    *accsheet Settings to type into a mail program
    *accremove Remove
    *alias Aliases and groups
    *aliasset Make or change an alias or group
    *aliasremove Remove an alias or group
    :acclist Accounts
    $ account list
    :accadd Add an account
    'A dot goes back.
    #account
    ?1 Name, such as anna
    ~2 account propose
    ?2 Password: Enter takes this one, which can be read over the phone [$2]
    ?3 Quota, such as 500M or 2G, Enter for the usual one []
    $2 account add $1 [ --quota $3 ] --password-stdin
    ^account
    $ account sheet $1
    'Password           $2
    :accpass New password
    ?1 Account (Enter goes back)
    ~2 account propose
    ?2 Password: Enter takes this one, which can be read over the phone [$2]
    $2 account passwd $1 --password-stdin
    &
    'The password of $1 is now: $2
    :accquota Quota
    $ account list
    ?1 Account (Enter goes back)
    ?2 The most its mail may take: 500M, 2G, none, default
    $ account quota $1 $2
    :accsheet Settings for a mail program
    ?1 Account (Enter goes back)
    $ account sheet $1
    :accremove Remove an account
    ?1 Account (Enter goes back)
    $ account list $1
    &
    ?2 Its mail: k keep it, d delete it, too [k]
    !remove Nobody will be able to log in as $1, and its mail will be refused.
    @2k $ account remove $1
    @2d $ account remove $1 --delete-mail
    :alias Aliases and groups
    $ alias list
    :aliasset Make or change an alias or group
    ?1 Name, such as sales (Enter goes back)
    ?2 Who gets its mail, such as anna, bert
    $ alias set $1 $*2
    :aliasremove Remove an alias or group
    $ alias list
    ?1 Name (Enter goes back)
    !remove Mail to $1 will be refused, unless there is an account of that name.
    $ alias remove $1
    :mail Mail
    *mailall What waits, per maildrop
    *maillist What is in one maildrop
    *mailshow Show a message
    *mailrestore Restore deleted mail
    *mailmove Move messages to another maildrop
    *maildiscard Discard messages
    *mailexport Copy a maildrop to a USB stick
    :mailall What waits
    $ account list
    :maillist What is in a maildrop
    ?1 Maildrop (Enter goes back)
    $ mail list $1 --all
    :mailshow Show a message
    ?1 Maildrop (Enter goes back)
    ?2 Number of the message, as the list has it
    !show What it says is meant for $1, and for nobody else.
    $ mail show $1 $2
    :mailrestore Restore deleted mail
    ?1 Maildrop (Enter goes back)
    $ mail list $1 --deleted
    &
    ?2 Numbers, such as 5,7-9, or all
    @2a $ mail restore $1 --all
    @2!a $ mail restore $1 $*2
    :mailmove Move messages
    ?1 Out of the maildrop (Enter goes back)
    $ mail list $1
    &
    ?2 Into the maildrop
    ?3 Numbers, such as 5,7-9
    !move $1 will not find them any more, $2 will.
    $ mail move $1 $2 $*3
    :maildiscard Discard messages
    ?1 Maildrop (Enter goes back)
    $ mail list $1 --all
    &
    ?2 Numbers, such as 5,7-9
    !discard They are gone for good: nothing restores them.
    $ mail discard $1 $*2
    :mailexport Copy a maildrop to a USB stick
    ?1 Maildrop (Enter goes back)
    $ stick list
    ?2 Put the stick in. Name of the file [$1.mbox]
    $ stick mount
    &
    $ mail export $1 --mbox /run/restante-stick/$2
    $ stick eject
    :network Network
    *netshow Addresses
    *netdhcp Use DHCP
    *netfixed Use fixed addresses
    *netping Ping
    *netname Look a name up
    *net25 Is port 25 reachable from here?
    *netwho Who is connected now
    *netbans Who is shut out for guessing passwords
    *netunban Let somebody in again
    *netkeep Keep a change that waits to be confirmed
    :netshow Addresses
    $ network show
    :netdhcp DHCP
    $ network show
    !dhcp Addresses will come from the network's DHCP server.
    $ network dhcp
    &
    >netkeep
    :netfixed Fixed addresses
    $ network show
    ?3 IPv4 address with prefix, such as 192.0.2.10/24, - for none (Enter goes back)
    ?4 IPv4 router, - for none
    ?5 IPv6 address with prefix, or Enter for what the network says []
    ?6 IPv6 router, if it must be named []
    ?7 DNS servers []
    !fixed These are used at once.
    $ network static [ --address $3 ] [ --gateway $4 ] [ --address $5 ] [ --gateway $6 ] [ --dns $7 ]
    &
    >netkeep
    :netkeep Keep the change
    'Unless it is confirmed within two minutes, the network goes back to how it was.
    !keep
    $ network confirm
    :netping Ping
    ?1 Name or address (Enter goes back)
    $ network ping $1
    :netname Look a name up
    ?1 Name (Enter goes back)
    $ network lookup $1
    :net25 Port 25
    $ network port25
    :netwho Who is connected
    $ connections
    :netbans Who is shut out
    $ bans
    :netunban Let somebody in again
    $ bans
    ?1 Address (Enter goes back)
    $ bans lift $1
    :selftest Self-test
    $ self-test
    :journal Journal
    *joulast The last events
    *jouwho About an account or address
    *joufollow Follow it as it happens
    *jouexport Copy it to a USB stick
    :joulast The last events
    ?1 How many lines [40]
    $ journal --lines $1
    :jouwho About an account or address
    ?1 Account or address (Enter goes back)
    $ journal $1
    :joufollow The journal as it happens
    'Any key ends it.
    $f journal --follow
    :jouexport Copy the journal to a USB stick
    $ stick list
    ?1 Put the stick in. Name of the file [journal.txt]
    $ journal --export stick:$1
    :backup Backup and restore
    *bakmake Make a backup
    *bakcheck Check a backup
    *bakrestore Restore a backup
    *sticks USB sticks
    *eject Take a USB stick out
    :bakmake Backup
    $ stick list
    ?1 stick: for a USB stick, or the whole name of a file [stick:]
    $ backup create $1
    :bakcheck Check a backup
    ?1 stick: for the last one on a USB stick, stick:NAME, or a file [stick:]
    $ backup verify $1
    :bakrestore Restore a backup
    ?1 stick: for the last one on a USB stick, stick:NAME, or a file [stick:]
    $ backup verify $1
    &
    !restore Configuration, accounts and mail of this device give way to the backup's.
    $ backup restore $1 --force
    :sticks USB sticks
    $ stick list
    :eject Take a USB stick out
    $ stick eject
    :update Update and more
    *updshow Which firmware runs
    *updmake Update from a USB stick or file
    *updback Go back to the firmware before
    *restart Restart
    *poweroff Power off
    *resetkeep Factory reset that keeps the mail
    *resetall Factory reset that wipes all
    :updshow Firmware
    $ update status
    :updmake Update
    ?1 stick:NAME or the whole name of a file [stick:restante.raucb]
    $ update show $1
    &
    !update The device restarts with the new firmware and tests itself. If that fails, the old one comes back by itself. Mail stays.
    $ update install $1
    &
    $ restart
    :updback Go back
    $ update status
    !back The device restarts with the firmware it had before. Mail stays.
    $ update back
    &
    $ restart
    :restart Restart
    !restart Transfers under way are finished first; mail is taken again in a minute.
    $ restart
    :poweroff Power off
    !off Until it is switched on again nobody can send or fetch mail.
    $ poweroff
    :resetkeep Factory reset, mail kept
    !reset Configuration, network, PIN and certificate are forgotten. Accounts and mail stay.
    $ reset --yes
    :resetall Factory reset, all wiped
    'Everything is forgotten: configuration, accounts, ALL MAIL. Nothing but a
    'backup brings it back.
    !wipe-mail
    $ reset --wipe-mail --yes
    :shell Shell
    *shellgo Open a shell
    *shellpin Set the PIN of the shell: without one, there is no shell
    *noshell Close the shell: remove its PIN
    :shellgo Shell
    %shell
    :shellpin PIN of the shell
    'Who knows it can do anything here, reading mail and losing it included.
    %shellpin
    :noshell Close the shell
    %noshell
    &
    $ pin shell --remove
    :forgotten A forgotten PIN
    'Who holds the device may set a new one; the mail stays. Make an empty file with
    'the name
    '    restante-new-pin
    'on a USB stick (FAT, exFAT or ext4), put the stick in, and press Enter here.
    ?0 Enter when it is in, . to go back [go]
    $ stick mount
    &
    %newpin
    $q stick eject
    """
}
