"""Names that the kernel itself gives: its threads, its caches of objects, its releases, what its log says of memory.

Each is one of a list: what only begins like one of them may be anybody's. Digits count as they come.
"""

from __future__ import annotations

import re

LONGEST = 15
"""Bytes of a thread's own name: TASK_COMM_LEN of linux/sched.h, without its zero."""
_DIGITS = re.compile(r"\d+", re.ASCII)
_DEVICES = r"(?:[shv]d|xvd)[a-z]{1,3}\d{0,3}|dasd[a-z]{1,3}\d?|(?:nvme\d+n\d+|mmcblk\d+)(?:p\d+)?|(?:zram|dm-|md|loop|nbd|sr|zd|rbd|drbd|pmem|bcache)\d+(?:p\d+)?"  # noqa: E501  one word
DEVICE = re.compile(_DEVICES, re.ASCII)
"""Disks as the kernel numbers them."""
_THREADS = frozenset(
    """
    loop# nbd# kthreadd kswapd# kcompactd# khugepaged ksmd oom_reaper writeback kdevtmpfs kauditd khungtaskd kintegrityd
    kblockd kthrotld kstrp ksgxd psimon swapper swapper/# migration/# ksoftirqd/# cpuhp/# idle_inject/# watchdog/#
    watchdogd rcu_gp rcu_par_gp rcu_preempt rcu_sched rcu_bh rcuc/# rcub/# rcuob/# rcuos/# rcuop/# rcuog/#
    rcu_exp_par_gp mm_percpu_wq slub_flushwq netns inet_frag_wq blkcg_punt_bio tpm_dev_wq ata_sff edac-poller
    devfreq_wq md md_misc crypto cryptd bioset kcopyd dm_bufio_cache kdmflush kdmflush/#:# dmcrypt_write/#
    dmcrypt_write dm-thin ipv#_addrconf mld acpi_thermal_pm scsi_eh_# scsi_tmf_# nvme-wq nvme-reset-wq
    nvme-delete-wq nvme-auth-wq hwrng kpsmoused ttm_swap usb-storage cfg# zswap-shrink charger_manager xfsalloc
    xfs_mru_cache btrfs-cleaner btrfs-worker btrfs-endio btrfs-delalloc btrfs-cache btrfs-fixup nfsd nfsd# lockd
    nfsiod rpciod xprtiod cifsd cifsiod ceph-msgr iscsi_eh iscsi_conn_clean raid#wq md#_raid# md#_raid#_# vhost-#
    card#-crtc# txg_sync txg_quiesce arc_reap arc_evict arc_prune l#arc_feed dbu_evict z_null_iss z_null_int
    z_rd_iss z_rd_int z_wr_iss z_wr_int z_fr_iss z_fr_int spl_kmem_cache virtiofs-hiprio events events_highpri
    events_unbound events_long events_freezable events_power_efficient kacpid kacpi_notify kacpi_hotplug flush-#:#
    memcg memcg_oom vmstat mlx#_cmd pool_workqueue_release rcu_tasks_kthread rcu_tasks_rude_kthread
    rcu_tasks_trace_kthread rcu_exp_gp_kthread_worker rcu_exp_par_gp_kthread_worker/# ext#-rsv-conversion
    quota_events_unbound sync_wq kvfree_rcu_reclaim virtio_vsock cgroup_destroy cgroup_release cgroup_free
    cgroup_bpf_destroy cgroup_offline pm usb_hub_wq iscsi_q_# hci# events_freezable_power_efficient events_bh
    events_dfl xfs_buf_csum btrfs-transaction btrfs-endio-meta btrfs-endio-write btrfs-freespace-write
    btrfs-worker-high nfsd#_callbacks kmpath_rdacd kmpath_handlerd kaluad ecryptfs-kthread kvm-nx-lpage-recovery
    spl_dynamic_taskq vfio-irqfd-cleanup tls-strp ttm mlx#_health
    """.split()  # noqa: SIM905  as in public_names.py
)
_THREAD_OF = re.compile(
    r"(kworker/(?:(?:u?\d+:\d+H?|\d+:\d+)(?:[-+]|$)|R-)|irq/\d+-|(?:jbd2|xfsaild|xfs-[a-z]{3,12}|dio|xfs_[a-z]{3,9})/)(.*)",
    re.ASCII,
)
_BEHIND = re.compile(rf"(?:{_DEVICES})(?:-\d{{1,5}})?|acpi|ACPI:Ged|pciehp|aerdrv|", re.ASCII)
_SLABS = frozenset(
    """
    :A-# :a-# :at-# :t-# :d-# :# AF_VSOCK Acpi-Namespace Acpi-Operand Acpi-Parse Acpi-ParseExt Acpi-State DCCP
    DCCPv# MPTCP MPTCPv# PING PINGv# RAW RAWv# SCTP SCTPv# TCP TCPv# UDP UDPv# UDP-Lite UDPLITEv# UNIX UNIX-STREAM
    abd_t active_node anon_vma anon_vma_chain arc_buf_hdr_t arc_buf_hdr_t_full arc_buf_t arp_cache avc_node
    avc_xperms_node avtab_node backing_aio backing_dev bdev_cache bfq_io_cq bfq_queue bio bio-# bio_crypt_ctx
    bio_fallback_crypt_ctx bio_integrity_payload bio_post_read_ctx biovec-# biovec-max blkdev_ioc blkdev_queue
    blkdev_requests bridge_fdb_cache bsg_cmd btrfs_delayed_data_ref btrfs_delayed_extent_op btrfs_delayed_node
    btrfs_delayed_ref_head btrfs_delayed_ref_node btrfs_delayed_tree_ref btrfs_end_bio btrfs_endio_wq
    btrfs_extent_buffer btrfs_extent_map btrfs_extent_state btrfs_free_space btrfs_free_space_bitmap btrfs_inode
    btrfs_inode_defrag btrfs_ordered_extent btrfs_path btrfs_prelim_ref btrfs_trans_handle btrfs_transaction
    btrfs_trans_handle_cache buffer_head ceph_cap ceph_cap_flush ceph_cap_snap ceph_dentry_info ceph_dir_file_info
    ceph_inode_info ceph_mds_request ceph_msg ceph_osd_request cfq_io_cq cfq_queue cgroup_bpf cifs_inode_cache
    cifs_mpx_ids cifs_request cifs_small_rq configfs_dir_cache cred cred_jar dax_cache ddt_cache ddt_entry_cache
    dentry dio dm_bufio_buffer dm_bufio_buffer-# dm_bufio_buffer-#-# dm_clone dm_io dm_mpath_io dm_mq_io
    dm_old_clone_request dm_rq_clone_bio_info dm_rq_target_io dm_snap_pending_exception dm_exception dm_target_io
    dm_uevent dma-kmalloc-# dma-kmalloc-#k dma-kmalloc-#M dmu_buf_impl_t dnode_t dnotify_mark dnotify_struct dquot
    drm_buddy_block drm_sched_fence drbd_bm drbd_ee drbd_req dst_entry ebitmap_node ecryptfs_inode_cache ep_head
    eventpoll_epi eventpoll_pwq ext#_allocation_context ext#_attr ext#_bio_post_read_ctx ext#_extent_status
    ext#_fc_dentry_update ext#_free_data ext#_groupinfo_#k ext#_inode_cache ext#_io_end ext#_io_end_vec ext#_io_page
    ext#_pending_reservation ext#_prealloc_space ext#_system_zone ext#_xattr extent_status f#fs_inode_cache
    fanotify_event fanotify_event_info fanotify_fid_event fanotify_mark fanotify_path_event fanotify_perm_event
    fanotify_perm_event_info fasync_cache fat_cache fat_inode_cache fib#_nodes file_lease_cache file_lock_cache
    file_lock_ctx files_cache filp flow_cache fs_cache fscache_cookie_jar fscache_op_jar fscrypt_ctx fscrypt_info
    fscrypt_inode_info fsnotify_event fsnotify_event_holder fsnotify_mark fsnotify_mark_connector fsverity_info
    ftrace_event_field fuse_inode fuse_request gfs#_bufdata gfs#_glock gfs#_inode hfsplus_icache
    hugetlbfs_inode_cache i#_request iint_cache ima_iint_cache inet_peer_cache init_fs inode_cache
    inotify_event_private_data inotify_inode_mark intel_timeline io_kiocb iommu_devinfo iommu_domain iommu_iova
    iommu_iova_magazine ip#-frags ip#_dst_cache ip#_fib_rule ip_dst_cache ip_fib_alias ip_fib_trie ip_mrt_cache
    ip_vs_conn isofs_inode_cache jbd#_inode jbd#_journal_handle jbd#_journal_head jbd#_revoke_record_s
    jbd#_revoke_table_s jbd#_transaction_s journal_handle journal_head kcopyd_job kernfs_iattrs_cache
    kernfs_node_cache key_jar khugepaged_mm_slot kioctx kiocb kmalloc-# kmalloc-#k kmalloc-#M kmalloc-#-cg
    kmalloc-cg-# kmalloc-cg-#k kmalloc-cg-#M kmalloc-rcl-# kmalloc-rcl-#k kmalloc-rcl-#M kmalloc-rnd-#-#
    kmalloc-rnd-#-#k kmalloc_buckets kmem_cache kmem_cache_node ksm_mm_slot ksm_rmap_item ksm_stable_node
    kvm_async_pf kvm_mmu_page_header kvm_vcpu lsm_file_cache lsm_inode_cache lwtunnel_head mac_node maple_node
    mb#_cache_entry mb_cache_entry mbcache memdup_user-# memdup_user-#k mm_slot mm_struct mnt_cache
    mptcp_request_sock mqueue_inode_cache msg_msg-# msg_msg-#k names_cache ndisc_cache net_namespace nf_conn
    nf_conntrack nf_conntrack_# nf_conntrack_expect nf-frags nfs_commit_data nfs_direct_cache nfs_inode_cache
    nfs_page nfs_read_data nfs_write_data nfsd#_delegations nfsd#_files nfsd#_lockowners nfsd#_odstate
    nfsd#_openowners nfsd#_stateids nfsd_drc nfsd_file nfsd_file_mark nsproxy ntfs_inode_cache numa_policy
    ocfs#_inode_cache ocfs#_lock ovl_aio_req ovl_inode p9_req_t page->ptl pde_opener pending_reservation perf_event
    pid pid_# pid_namespace pool_workqueue posix_timers_cache proc_dir_entry proc_inode_cache ptlock-cache
    radix_tree_node raw_sock rds_connection range_seg_cache reiser_inode_cache request_queue request_queue_srcu
    request_sock_TCP request_sock_TCPv# request_sock_subflow request_sock_subflow_v# revoke_record revoke_table
    romfs_inode_cache rpc_buffers rpc_inode_cache rpc_tasks rule_cache sa_cache scsi_cmd_cache scsi_cmd_cache(DMA)
    scsi_data_buffer scsi_io_context scsi_sense_cache sctp_bind_bucket sctp_chunk secpath_cache secpath_dst seq_file
    sgpool-# shared_policy_node shmem_inode_cache sighand_cache signal_cache sigqueue sio_cache sk_psock skb_ext
    skbuff_cb_store_cache skbuff_ext_cache skbuff_fclone_cache skbuff_head_cache skbuff_small_head sock_inode_cache
    spl_vn_cache spl_vn_file_cache squashfs_inode_cache squashfs_inode_cach sw_flow swapped_entry sysfs_dir_cache
    t#_alua_lu_gp_cache taskstats task_delay_info task_group task_struct task_xstate tc_filter tcp_bind_bucket
    tcp_bind#_bucket timerfd trace_event_file tracefs_inode_cache ts_cache tw_sock_DCCP tw_sock_TCP tw_sock_TCPv#
    udf_inode_cache uhci_urb_priv uid_cache uksm_cache ubifs_inode_slab user_namespace userfaultfd_ctx_cache
    uts_namespace virtio_gpu_vbufs vm_area_struct vma_lock vmap_area vmap_block wireguard_peer x#_emulator x#_fpu
    x#_lbr xfrm#_tunnel_spi xfrm_dst xfrm_dst_cache xfrm_state xfs_agfl_item xfs_attri_item xfs_attrd_item
    xfs_attr_intent xfs_attr_item xfs_bmap_free_item xfs_bmbt_cur xfs_bmap_intent xfs_bnobt_cur xfs_btree_cur
    xfs_bud_item xfs_bui_item xfs_buf xfs_buf_item xfs_cntbt_cur xfs_cud_item xfs_cui_item xfs_da_state
    xfs_defer_pending xfs_dqtrx xfs_dqt xfs_dquot xfs_efd_item xfs_efi_item xfs_efi_item xfs_extent_free_item
    xfs_extfree_intent xfs_icr xfs_ifork xfs_ili xfs_inobt_cur xfs_inode xfs_inode_log_item xfs_ioend xfs_iul_item
    xfs_iunlink_item xfs_log_item_desc xfs_log_ticket xfs_parent_args xfs_refc_intent xfs_refcbt_cur xfs_rmap_intent
    xfs_rmapbt_cur xfs_rud_item xfs_rui_item xfs_trans zap_name zfs_btree_leaf_cache zfs_znode_cache
    zfs_znode_hold_cache zil_dcw_cache zil_lwb_cache zil_zcw_cache zio_buf_# zio_buf_comb_# zio_cache zio_data_buf_#
    zio_link_cache zio_vdev zpool_cache zs_handle zspage zs_handle-zram# zspage-zram# zswap_entry xt_hashlimit
    erofs_pcluster-# erofs_inode xfs_xmi_item xfs_rtrmapbt_cur dmaengine-unmap-# debugfs_inode_cache mem_cgroup
    mem_cgroup_per_node pidfs_xattr_cache pidfs_attr_cache bfilp
    """.split()  # noqa: SIM905  as in public_names.py
)
SETTINGS = frozenset(
    """
    admin_reserve_kbytes block_dump compact_memory compact_unevictable_allowed compaction_proactiveness defrag_mode
    dirty_background_bytes dirty_background_ratio dirty_bytes dirty_expire_centisecs dirty_ratio
    dirty_writeback_centisecs dirtytime_expire_seconds drop_caches enable_soft_offline extfrag_threshold
    extra_free_kbytes hugetlb_optimize_vmemmap hugetlb_shm_group laptop_mode legacy_va_layout lowmem_reserve_ratio
    max_map_count memfd_noexec memory_failure_early_kill memory_failure_recovery min_free_kbytes min_slab_ratio
    min_unmapped_ratio mmap_min_addr mmap_rnd_bits mmap_rnd_compat_bits nr_hugepages nr_hugepages_mempolicy
    nr_overcommit_hugepages numa_stat numa_zonelist_order oom_dump_tasks oom_kill_allocating_task overcommit_kbytes
    overcommit_memory overcommit_ratio page-cluster page_lock_unfairness panic_on_oom percpu_pagelist_fraction
    percpu_pagelist_high_fraction stat_interval stat_refresh swappiness unprivileged_userfaultfd user_reserve_kbytes
    vfs_cache_pressure vfs_cache_pressure_denom watermark_boost_factor watermark_scale_factor zone_reclaim_mode
    """.split()  # noqa: SIM905  as in public_names.py
)
"""The parameters below `vm`: Documentation/admin-guide/sysctl/vm.rst."""
_BUILDERS = re.compile(
    r"\d{1,12}[a-c]?|rc\d+|deb\d+(?:u\d+)?|bpo\d*|(?:el|fc|amzn|arch|vz|lve|deb|rt|mgc|mga|ti|aa|vz)\d+(?:uek)?|v[78]l?"
    r"|x86|amd64|i[3-6]86|686|pae|arm(?:64|hf|mp|v[5-8]l?)|aarch64|lpae|ppc64(?:le|el)?|s390x|riscv64|loong(?:arch)?64"
    r"|generic|rt|lowlatency|aws|azure|gcp|gke|oracle|ibm|kvm|raspi|rpi|rpt|cloud|default|lts|virt|edge|hardened|zen|pve"
    r"|pmx|cachyos|liquorix|xanmod|uek|microsoft|standard|wsl2|linuxkit|flatcar|coreos|talos|cos|bottlerocket|fips"
    r"|nvidia|tegra|preempt|next|dynamic|desktop|server|mainline|longterm|ml|elrepo|centos|plus|stable|gentoo|dist"
    r"|chromeos|lakitu|android\d*|yocto|gardenlinux|photon|esx|manjaro|intel|hwe|oem|smp|build|unknown",
    re.ASCII | re.IGNORECASE,
)
FUNCTIONS = frozenset(
    """
    __alloc_pages __alloc_pages_nodemask __alloc_pages_slowpath __alloc_frozen_pages_noprof __alloc_pages_noprof
    __alloc_pages_may_oom __alloc_pages_direct_reclaim __do_fault __do_page_fault __filemap_get_folio __folio_alloc
    __folio_alloc_noprof __handle_mm_fault __mem_cgroup_charge __mem_cgroup_try_charge __oom_kill_process
    __page_cache_alloc __perform_reclaim __put_task_struct __schedule __x64_sys_read __x64_sys_write
    asm_exc_page_fault alloc_pages_current alloc_pages_mpol_noprof alloc_pages_vma balance_dirty_pages
    balance_dirty_pages_ratelimited balance_dirty_pages_ratelimited_flags charge_memcg clear_page_erms
    congestion_wait do_anonymous_page do_fault do_group_exit do_idle do_page_fault do_swap_page do_syscall_64
    do_sys_open do_try_to_free_mem_cgroup_pages do_try_to_free_pages do_user_addr_fault dump_header dump_stack
    dump_stack_lvl entry_SYSCALL_64_after_hwframe exc_page_fault filemap_fault folio_alloc folio_alloc_mpol_noprof
    generic_file_read_iter get_page_from_freelist handle_mm_fault io_schedule io_schedule_timeout kswapd kthread
    ksys_read ksys_write mem_cgroup_charge mem_cgroup_handle_over_high mem_cgroup_oom mem_cgroup_oom_synchronize
    mem_cgroup_out_of_memory mem_cgroup_swapin_charge_folio mem_cgroup_try_charge moom_callback oom_kill_process
    out_of_memory page_fault pagecache_get_page page_fault_oom pagefault_out_of_memory policy_node process_one_work
    psi_task_switch read_pages reclaim_throttle ret_from_fork ret_from_fork_asm schedule schedule_timeout
    secondary_startup_64_no_verify shrink_active_list shrink_folio_list shrink_inactive_list shrink_lruvec
    shrink_node shrink_node_memcgs shrink_page_list shrink_slab shrink_zone start_secondary swap_cluster_readahead
    swap_read_folio swap_readpage swap_writepage swapin_readahead throttle_direct_reclaim try_charge
    try_charge_memcg try_to_free_mem_cgroup_pages try_to_free_pages vfs_read vfs_write vma_alloc_folio
    vma_alloc_folio_noprof wait_iff_congested warn_alloc warn_alloc_failed worker_thread write_sysrq_trigger
    __handle_sysrq sysrq_handle_moom alloc_pages_mpol mod_memcg_lruvec_state ___pte_offset_map __folio_mod_stat
    set_ptes _raw_spin_unlock __pmd_alloc __rseq_handle_notify_resume count_memcg_events irqentry_exit_to_user_mode
    set_cpu_sibling_map topology_sane do_read_fault do_shared_fault do_wp_page wp_page_copy alloc_anon_folio
    shmem_fault shmem_alloc_folio shmem_get_folio_gfp asm_sysvec_apic_timer_interrupt el0_da el0_svc do_mem_abort
    __mmap_region do_brk_flags
    """.split()  # noqa: SIM905  as in public_names.py
)
"""What stands in the traces of the kernel's memory reports (mm/); those of a driver have names of their own."""
GFP = frozenset(
    """
    ACCOUNT ATOMIC COLD COMP DIRECT_RECLAIM DMA DMA32 FS HARDWALL HIGH HIGHMEM HIGHUSER HIGHUSER_MOVABLE IO KERNEL
    KERNEL_ACCOUNT KSWAPD_RECLAIM MEMALLOC MOVABLE NOFAIL NOFS NOIO NOLOCKDEP NOMEMALLOC NORETRY NOTRACK NOWAIT
    NOWARN NO_OBJ_EXT OTHER_NODE RECLAIM RECLAIMABLE REPEAT RETRY_MAYFAIL SKIP_KASAN SKIP_KASAN_POISON
    SKIP_KASAN_UNPOISON SKIP_ZERO TEMPORARY THISNODE TRANSHUGE TRANSHUGE_LIGHT USER WAIT WRITE ZERO ZEROTAGS
    """.split()  # noqa: SIM905  as in public_names.py
)
"""How memory was asked for: include/trace/events/mmflags.h."""
REPORTED = frozenset(
    """
    Mem-Info Node DMA DMA32 Normal HighMem Movable Device Call Trace Tasks state memory values in pages
    Unreclaimable slab info usage limit failcnt swap memory+swap kmem lowmem_reserve per-node per-cpu CPU hi btch
    usd total pagecache pages RAM cma reserved hwpoisoned shared non-shared HighMem/MovableOnly cache Swap stats add
    delete find Free Total hugepages_total hugepages_free hugepages_surp hugepages_size all_unreclaimable yes no
    free free_pcp free_cma local_pcp boost min low high reserved_highatomic free_highatomic present managed mlocked
    bounce pages_scanned spanned active inactive active_anon inactive_anon isolated_anon active_file inactive_file
    isolated_file unevictable dirty writeback writeback_tmp unstable slab_reclaimable slab_unreclaimable mapped
    shmem pagetables sec_pagetables kernel_misc_reclaimable shmem_thp shmem_pmdmapped anon_thp file_thp kernel_stack
    shadow_call_stack zspages balloon_pages gpu_active gpu_reclaim anon file kernel percpu sock vmalloc zswap
    zswapped zswap_incomp file_mapped file_dirty file_writeback swapcached slab workingset_refault_anon
    workingset_refault_file workingset_activate_anon workingset_activate_file workingset_restore_anon
    workingset_restore_file workingset_nodereclaim workingset_refault workingset_activate workingset_restore pgscan
    pgsteal pgscan_kswapd pgscan_direct pgscan_khugepaged pgscan_proactive pgsteal_kswapd pgsteal_direct
    pgsteal_khugepaged pgsteal_proactive pgfault pgmajfault pgrefill pgactivate pgdeactivate pglazyfree pglazyfreed
    swpin_zero swpout_zero zswpin zswpout zswpwb thp_fault_alloc thp_collapse_alloc thp_swpout thp_swpout_fallback
    numa_pages_migrated numa_pte_updates numa_hint_faults numa_task_migrated numa_task_swapped pgdemote_kswapd
    pgdemote_direct pgdemote_khugepaged pgdemote_proactive pgpromote_success hugetlb rss rss_huge mapped_file pgpgin
    pgpgout pswpin pswpout hierarchical_memory_limit hierarchical_memsw_limit total_cache total_rss total_rss_huge
    total_shmem total_mapped_file total_dirty total_writeback total_swap total_swapcached total_pgpgin total_pgpgout
    total_pgfault total_pgmajfault total_inactive_anon total_active_anon total_inactive_file total_active_file
    total_unevictable total_workingset_refault total_workingset_activate total_workingset_restore
    total_workingset_nodereclaim warn_alloc callbacks suppressed Name Used Memory available code rwdata rodata init
    bss absent highmem cma-reserved isolated writepending TASK IRQ NMI
    """.split()  # noqa: SIM905  as in public_names.py
)
"""The words of mm/show_mem.c, mm/oom_kill.c and memory.stat: a line of these and numbers names nobody."""


def is_thread(name: str) -> bool:
    """True for a thread of the kernel by the whole of its name."""
    found = _THREAD_OF.fullmatch(name)
    plain = _counted(found[2] if found else name)
    cut = len(name) == LONGEST and any(one.startswith(plain) for one in _THREADS)
    return cut or plain in _THREADS or (found is not None and _BEHIND.fullmatch(found[2]) is not None)


def thread_of(name: str) -> str:
    """How the name of a thread begins behind which another name stands, of a queue or a device; empty for others."""
    found = _THREAD_OF.fullmatch(name)
    return found[1] if found else ""


def is_slab(name: str) -> bool:
    """True for a cache of objects of the kernel itself; modules name their own."""
    return _counted(name) in _SLABS


def release(text: str) -> str:
    """A kernel's release: its numbers and words of distributions; of what its builder added `local` is left."""
    return "".join(
        part if not part[:1].isalnum() or _BUILDERS.fullmatch(part) else "local"
        for part in re.findall(r"[A-Za-z0-9]+|[-._+~]", text, re.ASCII)
    )


def _counted(name: str) -> str:
    return _DIGITS.sub("#", name)
